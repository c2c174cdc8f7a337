import type { Stage } from './stage.js';

/** A result that a vector file states and that is not ours, and why. */
export interface Override {
  readonly tcIds: readonly number[];
  readonly stated: 'valid' | 'invalid';
  readonly stage: Stage;
  readonly why: string;
}

const SYMMETRIC =
  'a symmetric key: never accepted from a key set, and HS* is on no allow-list (RFC 8725 §3.1)';
const JWE =
  'an encrypted token: a resource server without a decryption key takes none, and finds out by counting parts';
const EMPTY =
  'the payload is empty: a valid JWS and no JWT; refused by its form, as a JWS with detached content is';

export const SIGNATURE_OVERRIDES: readonly Override[] = [
  { tcIds: [1, 348, 352, 357, 358, 359, 376, 377], stated: 'valid', stage: 'header', why: SYMMETRIC },
  {
    tcIds: [346, 350],
    stated: 'valid',
    stage: 'key',
    why: 'the JWK says alg PS256, the token PS384: a key serves one algorithm (RFC 8725 §3.1)',
  },
  {
    tcIds: [347, 351],
    stated: 'valid',
    stage: 'key',
    why: 'the JWK says alg ES521, which does not exist (RFC 7518 §3.1 has ES512)',
  },
  {
    tcIds: [372, 373],
    stated: 'valid',
    stage: 'structure',
    why: 'a "?" inside a segment: not base64url (RFC 7515 §2); decoders that drop it give one token many spellings',
  },
  { tcIds: [259, 264, 268, 272, 320, 325], stated: 'valid', stage: 'structure', why: EMPTY },
];

/*
 * Not overridden, and worth knowing:
 * - PS256, PS384 and PS512 (272 to 344) are valid because the default allow-list has them.
 * - 367 and 370 ("invalid padding") lost their padding upstream: letter by letter they are 357, which is stated valid.
 *   All three stop at the header, being HS256.
 */

export const KEY_OVERRIDES: readonly Override[] = [
  { tcIds: [2, 13, 14, 15], stated: 'valid', stage: 'header', why: SYMMETRIC },
];

/*
 * Not overridden, and worth knowing:
 * - 1 and 4 are "ambiguous" (mixed set, duplicate kid) but symmetric anyway; the twins have RSA and EC duplicates.
 * - 8 and 9 (1024-bit modulus, exponent 1) have an empty payload and stop at the structure, so they say nothing of the
 *   key; the spec asks for the verdict on the key itself, and the twins sign with it. jose accepts 7 and 9.
 */

export const CRYPTO_OVERRIDES: readonly Override[] = [
  { tcIds: [1, 48], stated: 'valid', stage: 'header', why: SYMMETRIC },
  { tcIds: [50, 67], stated: 'valid', stage: 'structure', why: JWE },
];

/** Every token of the file is a JWE. */
export const ENCRYPTION_RULE = { stage: 'structure', why: JWE } as const;

/** The stage a vector must stop at: that of its override, the claims when it is valid, any earlier one when not. */
export function expectedStages(
  { tcId, result }: { readonly tcId: number; readonly result: 'valid' | 'invalid' },
  overrides: readonly Override[],
): readonly Stage[] {
  const override = overrides.find(({ tcIds }) => tcIds.includes(tcId));
  if (override) return [override.stage];
  return result === 'valid' ? ['claims'] : ['structure', 'header', 'key', 'signature'];
}
