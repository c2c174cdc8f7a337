import { quote } from '../../errors/quote.js';
import type { TokenHeader } from '../unverified-token.js';
import type { TrustedIssuer } from '../trusted-issuer.js';
import { isPresent } from './claim.js';
import { mediaType } from './header-rules.js';
import { refusal } from './refusal.js';

type Unchecked = Readonly<Record<string, unknown>>;

/** Claims of ID tokens alone (OIDC Core §3.1.3.6, §3.3.2.11; FAPI 1.0 part 2 §5.1.1). */
const ID_TOKEN_CLAIMS = ['at_hash', 'c_hash', 's_hash'];
/** What access tokens say of the client and its rights, and ID tokens do not. Vendors: Okta, Entra ID, Auth0. */
const ACCESS_TOKEN_CLAIMS = ['scope', 'scp', 'client_id', 'cid', 'appid', 'azpacr', 'roles', 'permissions'];
/** The `typ` claim of Keycloak. */
const FOREIGN_TYPES = new Set(['refresh', 'offline', 'logout', 'dpop']);

/**
 * Refuses tokens of another kind that are signed with the same keys (RFC 8725 §3.12). ID tokens are refused unless the
 * issuer's option `acceptIdTokens` is set, with and without `at_hash` alike.
 *
 * @throws {TokenError}
 */
export function assertKind(header: TokenHeader, claims: Unchecked, issuer: TrustedIssuer): void {
  const { typ, token_use: use, events, token_introspection: introspection } = claims;
  const kind = typeof typ === 'string' ? typ.toLowerCase() : undefined;
  // RFC 8417 §2.2: the events of a security event are an object; an application may have a claim of this name.
  if (isObject(events)) throw refused('it has an object events: a logout token or a security event');
  if (isPresent(introspection)) throw refused('it is an introspection response (RFC 9701)');
  if (kind !== undefined && FOREIGN_TYPES.has(kind)) throw refused(`its claim typ is ${quote(typ)}`);
  if (isPresent(use) && use !== 'access' && use !== 'id') throw refused(`its token_use is ${quote(use)}`);
  const isIdToken = kind === 'id' || use === 'id' || resemblesIdToken(header, claims);
  if (issuer.acceptIdTokens) {
    if (isIdToken || !isMarkedAsAccessToken(header, claims)) assertIdToken(claims, issuer);
  } else if (isIdToken) {
    throw refused(
      'it is an ID token. Send an access token, or set acceptIdTokens: true for an issuer that has no other JWT',
    );
  }
}

/** An ID token may lack `at_hash` (OIDC Core §2); then it has a nonce, or names its own audience as its client. */
function resemblesIdToken(header: TokenHeader, claims: Unchecked): boolean {
  if (ID_TOKEN_CLAIMS.some((name) => isPresent(claims[name]))) return true;
  if (isMarkedAsAccessToken(header, claims)) return false;
  const { aud, azp, nonce } = claims;
  return (
    isPresent(nonce) || (isPresent(azp) && (Array.isArray(aud) ? aud : [aud]).every((one) => one === azp))
  );
}

function isMarkedAsAccessToken({ typ }: TokenHeader, claims: Unchecked): boolean {
  if (typ !== undefined && mediaType(typ) === 'at+jwt') return true;
  const { typ: kind, token_use: use } = claims;
  const isNamed = use === 'access' || (typeof kind === 'string' && kind.toLowerCase() === 'bearer');
  return isNamed || ACCESS_TOKEN_CLAIMS.some((name) => isPresent(claims[name]));
}

/** OIDC Core §3.1.3.7, 3 to 5: the audience is the client, and so is the authorized party. */
function assertIdToken({ aud, azp, sub, iat }: Unchecked, { audiences }: TrustedIssuer): void {
  if (typeof sub !== 'string' || !isPresent(iat))
    throw refusal('AUTH_TOKEN_CLAIM_INVALID', 'The ID token lacks sub or iat, which OpenID Connect requires');
  const isForSeveral = Array.isArray(aud) && aud.length > 1;
  if (!isPresent(azp) && !isForSeveral) return;
  if (typeof azp === 'string' && audiences?.has(azp) === true) return;
  const detail = `azp of the token: ${quote(azp)}; option audience: ${quote([...(audiences ?? [])])}`;
  throw refusal('AUTH_TOKEN_AUDIENCE_MISMATCH', 'The ID token was issued to another client', detail);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(detail: string): Error {
  return refusal(
    'AUTH_TOKEN_TYPE_REFUSED',
    'The token is not an access token',
    `The token is refused because ${detail}`,
  );
}
