import { withFixedText } from '../errors/auth.error.js';
import { MetadataUnavailableError } from '../errors/metadata.errors.js';
import { SignatureInvalidError } from '../errors/token.errors.js';
import { explanation } from '../errors/without-stack-trace.js';
import type { IssuerMetadata } from '../keys/issuer-metadata.js';
import type { SigningKey } from '../keys/signing-key.js';
import type { UnverifiedToken } from './unverified-token.js';
import { hintAbout } from './parse/claims.js';
import { chooseKeys } from './choose-keys.js';
import { estimateCost, signatureVerifies, signatureVerifiesInPool } from './signature.js';
import type { ThreadPoolShare } from './thread-pool-share.js';

type SignedToken = Omit<UnverifiedToken, 'values'>;

/**
 * Checks the signature of a token with the keys of one snapshot, on the event loop.
 *
 * @param pool where the other tokens of this turn of the event loop are checked
 * @returns the key that made it
 * @throws {SignatureInvalidError}
 */
export function verifySignature(
  token: SignedToken,
  metadata: IssuerMetadata,
  pool?: ThreadPoolShare,
): SigningKey {
  const keys = chooseKeys(token, metadata);
  pool?.takeTurn();
  const { alg, signed, signature } = partsOf(token);
  const key = keys.find(({ publicKey }) => signatureVerifies(alg, publicKey, signed, signature));
  if (!key) throw verifiesWithNone(token, keys);
  return key;
}

/**
 * Checks the signature of a token with the keys of one snapshot, in the thread pool. The snapshot may have been replaced
 * by the time of the result.
 *
 * @returns the key that made it
 * @throws {SignatureInvalidError}
 * @throws {MetadataUnavailableError} when too many signatures wait to be checked
 */
export async function verifySignatureInPool(
  token: SignedToken,
  metadata: IssuerMetadata,
  pool: ThreadPoolShare,
): Promise<SigningKey> {
  const keys = chooseKeys(token, metadata);
  const { alg, signed, signature } = partsOf(token);
  for (const key of keys) {
    const { publicKey } = key;
    const check = pool.run(estimateCost(alg, publicKey), () =>
      signatureVerifiesInPool(alg, publicKey, signed, signature),
    );
    if (!check)
      throw withFixedText(new MetadataUnavailableError('Too many signatures wait to be checked', 1));
    if (await check) return key;
  }
  throw verifiesWithNone(token, keys);
}

function partsOf({ token, header }: SignedToken): { alg: string; signed: Buffer; signature: Buffer } {
  const end = token.lastIndexOf('.');
  return {
    alg: header.alg,
    signed: Buffer.from(token.slice(0, end), 'latin1'),
    signature: Buffer.from(token.slice(end + 1), 'base64url'),
  };
}

function verifiesWithNone(
  { header, claims }: SignedToken,
  keys: readonly SigningKey[],
): SignatureInvalidError {
  const hint = hintAbout(claims.aud);
  const cause = explanation(`The signature verifies with none of ${keys.length} fitting keys${hint}`);
  // Where neither token nor key has a `kid`, a new key cannot be distinguished from a wrong signature.
  const isKeyMissing = header.kid === undefined && keys.some(({ kid }) => kid === undefined);
  const staleness = isKeyMissing ? 'key-not-found' : 'bad-signature';
  return withFixedText(new SignatureInvalidError('The signature does not verify', staleness, { cause }));
}
