import { compactVerify } from 'jose';
import { SignatureInvalidError } from '../errors/token.errors.js';
import type { IssuerMetadata } from '../metadata/issuer-metadata.js';
import type { SigningKey } from '../metadata/signing-key.js';
import type { Candidate } from './candidate.js';
import { chooseKeys } from './key-choice.js';

/**
 * Checks the signature of a candidate with the keys of one snapshot, and tells which key it was.
 *
 * @throws {SignatureInvalidError}
 */
export async function verifySignature(candidate: Candidate, metadata: IssuerMetadata): Promise<SigningKey> {
  const { token, header } = candidate;
  let failure: unknown;
  for (const key of chooseKeys(candidate, metadata)) {
    try {
      await compactVerify(token, key.publicKey, { algorithms: [header.alg] });
      return key;
    } catch (error) {
      failure = error;
    }
  }
  throw new SignatureInvalidError('bad-signature', { cause: failure });
}
