import { SignatureInvalidError } from '../errors/token.errors.js';
import type { IssuerMetadata } from '../keys/issuer-metadata.js';
import type { SigningKey } from '../keys/signing-key.js';
import type { UnverifiedToken } from './unverified-token.js';
import { chooseKeys } from './choose-keys.js';
import { signatureVerifies } from './signature.js';

/**
 * Checks the signature of a candidate with the keys of one snapshot, and tells which key it was.
 *
 * @throws {SignatureInvalidError}
 */
export function verifySignature(
  candidate: Omit<UnverifiedToken, 'values'>,
  metadata: IssuerMetadata,
): SigningKey {
  const { token, header } = candidate;
  const end = token.lastIndexOf('.');
  const signed = Buffer.from(token.slice(0, end), 'latin1');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  const keys = chooseKeys(candidate, metadata);
  const key = keys.find(({ publicKey }) => signatureVerifies(header.alg, publicKey, signed, signature));
  if (key) return key;
  throw new SignatureInvalidError('bad-signature', {
    cause: new Error(`The signature verifies with none of ${keys.length} fitting keys`),
  });
}
