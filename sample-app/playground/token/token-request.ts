import * as v from 'valibot';

/** By which key the token panel signs. */
const signers = ['provider', 'unknown-key', 'forged', 'unsigned'] as const;

/** What the token panel sends: claims laid over the ordinary ones, and a signer. */
export const tokenRequestSchema = v.strictObject({
  claims: v.record(v.string(), v.unknown()),
  signer: v.picklist(signers),
});

export type TokenRequest = v.InferOutput<typeof tokenRequestSchema>;
