import { afterAll, beforeAll } from 'vitest';
import { readWycheproof, type Jwk, type WycheproofVector } from './files.js';
import { split } from './mutations.js';
import { TWIN_PAYLOAD, TwinApi } from './twin-api.js';
import { signedToken } from './twin-signing.js';

/*
 * Real access tokens, signed with the keys of the vectors and then broken in the way of the vectors. Each group begins
 * with its positive control: a harness that refuses everything would otherwise look like a perfect score.
 */

const { vectors } = readWycheproof('json_web_signature_test.json');
const keyFile = readWycheproof('json_web_key_test.json');

/** A vector of the signature file. */
export function vectorOf(tcId: number): WycheproofVector {
  return find(vectors, tcId);
}

/** A vector of the key file. */
export function keyVectorOf(tcId: number): WycheproofVector {
  return find(keyFile.vectors, tcId);
}

function find(among: readonly WycheproofVector[], tcId: number): WycheproofVector {
  const found = among.find((vector) => vector.tcId === tcId);
  if (!found) throw new Error(`There is no vector ${tcId}`);
  return found;
}

/** The vectors of the signature file from one number to another, both included. */
export function range(first: number, last: number): readonly WycheproofVector[] {
  return vectors.filter(({ tcId }) => tcId >= first && tcId <= last);
}

/** An access token with the header of a vector, signed with its key. */
export function twinOf(vector: WycheproofVector, alg: string): string {
  return signedToken(alg, split(vector.token).header, TWIN_PAYLOAD, privateKeyOf(vector));
}

/** The signer of a group. */
export function privateKeyOf({ privateKeys }: WycheproofVector): Jwk {
  const [key] = privateKeys;
  if (!key) throw new Error('The group has no key');
  return key;
}

/** Starts an API before the tests of a group and stops it after them. */
export function apiFor(keys: () => readonly Jwk[]): { answer(token: string): Promise<string> } {
  let api: TwinApi | undefined;
  beforeAll(async () => {
    api = await TwinApi.start(keys());
  });
  afterAll(() => api?.[Symbol.dispose]());
  return { answer: (token) => api?.answer(token) ?? Promise.reject(new Error('The API has not started')) };
}
