import { withFixedText } from '../errors/auth.error.js';
import { KeyMismatchError, SignatureInvalidError } from '../errors/token.errors.js';
import { quote } from '../errors/quote.js';
import { explanation } from '../errors/without-stack-trace.js';
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
 * @throws {KeyMismatchError} when the key with this `kid` serves another algorithm
 */
export function chooseKeys(
  { header, claims, issuer, tenantId }: Omit<UnverifiedToken, 'token' | 'values'>,
  metadata: IssuerMetadata,
): readonly SigningKey[] {
  const { kid, alg } = header;
  const named = kid === undefined ? metadata.keys : metadata.keysWithId(kid);
  const serving = named.filter((key) => key.verifies(alg));
  const fitting = serving.filter((key) => servesIssuer(key, claims.iss, issuer.issuer, tenantId));
  if (fitting.length > 0) return fitting.slice(0, MAX_KEYS_TRIED);
  if (kid !== undefined) {
    if (named.length === 0)
      throw withFixedText(
        new SignatureInvalidError('The signing key is not in the key set', 'key-not-found'),
      );
    if (serving.length === 0) throw servesOther(named, kid, alg);
  }
  throw withFixedText(new SignatureInvalidError('No key of the key set fits the token', 'bad-signature'));
}

function servesOther(named: readonly SigningKey[], kid: string, alg: string): KeyMismatchError {
  const served = named.map((key) => key.algorithms.join(' or ')).join(' or ');
  const isPublished = named.some(({ jwk }) => typeof jwk['alg'] === 'string');
  const cause = explanation(
    isPublished
      ? `The key ${quote(kid)} is published for ${served}, and the token says ${quote(alg)}`
      : `The key ${quote(kid)} has no alg and serves ${served}, and the token says ${quote(alg)}: name it in the option algorithms if the issuer signs with it`,
  );
  const message = 'The signing key does not serve the alg of the token';
  return withFixedText(
    new KeyMismatchError('AUTH_TOKEN_ALGORITHM_REFUSED', message, 'bad-signature', { cause }),
  );
}

/** Entra ID names an issuer on each key: a key of one tenant must not verify tokens of another. */
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
