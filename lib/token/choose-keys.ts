import { SigningKeyNotFoundError } from 'jwks-rsa';
import { SignatureInvalidError } from '../errors/token.errors.js';
import type { IssuerMetadata } from '../keys/issuer-metadata.js';
import type { SigningKey } from '../keys/signing-key.js';
import type { UnverifiedToken } from './unverified-token.js';
import { fillTenant } from './trusted-issuer.js';

/** Most keys tried for a token that does not name the key. */
const MAX_KEYS_TRIED = 8;

/**
 * Returns the keys that may have signed this token, by `kid`, algorithm and the key's own issuer.
 *
 * @throws {SignatureInvalidError} `key-not-found` when the `kid` is unknown, `bad-signature` when no known key fits
 */
export function chooseKeys(
  { header, claims, issuer, tenantId }: Omit<UnverifiedToken, 'token' | 'values'>,
  metadata: IssuerMetadata,
): readonly SigningKey[] {
  const named = header.kid === undefined ? metadata.keys : metadata.keysWithId(header.kid);
  const fitting = named.filter(
    (key) => key.verifies(header.alg) && servesIssuer(key, claims.iss, issuer.issuer, tenantId),
  );
  if (fitting.length > 0) return fitting.slice(0, MAX_KEYS_TRIED);
  const isUnknown = header.kid !== undefined && named.length === 0;
  throw new SignatureInvalidError(
    isUnknown ? 'The signing key is not in the key set' : 'No key of the key set fits the token',
    isUnknown ? 'key-not-found' : 'bad-signature',
    { cause: new SigningKeyNotFoundError('No signing key of the key set fits the token') },
  );
}

/** Entra ID names an issuer on each key: a key of one tenant must not vouch for another. */
function servesIssuer(
  key: SigningKey,
  iss: string,
  configured: string,
  tenantId: string | undefined,
): boolean {
  if (key.issuer === undefined) return true;
  const keyIssuer = fillTenant(key.issuer, tenantId);
  return keyIssuer === iss || keyIssuer === fillTenant(configured, tenantId);
}
