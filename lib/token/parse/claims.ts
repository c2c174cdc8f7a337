import { TokenError } from '../../errors/token.errors.js';
import type { Claims } from '../unverified-token.js';
import type { TrustedIssuer } from '../trusted-issuer.js';

type Unchecked = Readonly<Record<string, unknown>>;

/** Claims that belong to other kinds of JWT: ID tokens (OIDC Core §3.1.3.6, §3.3.2.11) and security events (RFC 8417). */
const FOREIGN_CLAIMS = ['at_hash', 'c_hash', 's_hash', 'events', 'token_introspection'] as const;
/** Keycloak names the kind in a `typ` claim. */
const FOREIGN_TYPES = new Set(['id', 'refresh', 'offline', 'logout', 'dpop']);
/** RFC 9068 §2.2, beyond iss, exp and aud. */
const PROFILE_CLAIMS = ['sub', 'client_id', 'jti', 'iat'] as const;

/**
 * Checks the claims of a token whose issuer is known; once before any key is asked for, and again after the signature,
 * because time may have passed in between.
 *
 * @param now wall-clock time in milliseconds
 * @throws {TokenError}
 */
export function assertClaims(
  claims: Unchecked,
  issuer: TrustedIssuer,
  tenantId: string | undefined,
  now: number,
): asserts claims is Claims {
  if (tenantId !== undefined && !issuer.admitsTenant(tenantId)) {
    throw new TokenError('AUTH_TOKEN_ISSUER_UNKNOWN', 'The tenant of the token is not let in');
  }
  checkDates(claims);
  checkLifetime(claims, issuer, now);
  checkAudience(claims, issuer);
  checkKind(claims);
  checkPresence(claims, issuer);
  if (issuer.tokenTypes.size === 1 && issuer.tokenTypes.has('at+jwt')) checkProfile(claims);
}

/** RFC 7519 §4.1.4-6: numbers, finite, not before the epoch; `exp` must be there. */
function checkDates(claims: Unchecked): void {
  if (!Object.hasOwn(claims, 'exp')) throw invalid('The token has no exp');
  for (const name of ['exp', 'nbf', 'iat']) {
    const value = claims[name];
    if (value !== undefined && !isNumericDate(value))
      throw invalid(`The ${name} of the token is not a numeric date`);
  }
}

/** When a token may be used, in seconds since the epoch, clock tolerance included. */
export interface Lifetime {
  readonly notBefore: number;
  readonly issuedFrom: number;
  /** RFC 7519 §4.1.4: from here on it is too late. */
  readonly expires: number;
  readonly outdated: number;
}

/** The part that time alone decides, for a token whose dates are numbers. */
export function lifetimeOf(
  { exp, nbf, iat }: Unchecked,
  { clockTolerance, maxTokenAge }: TrustedIssuer,
): Lifetime {
  const issuedAt = Number(iat ?? 0);
  return {
    notBefore: Number(nbf ?? 0) - clockTolerance,
    issuedFrom: issuedAt - clockTolerance,
    expires: Number(exp) + clockTolerance,
    outdated: issuedAt + (maxTokenAge ?? Number.POSITIVE_INFINITY) + clockTolerance,
  };
}

function checkLifetime(claims: Unchecked, issuer: TrustedIssuer, now: number): void {
  if (issuer.maxTokenAge !== undefined && claims['iat'] === undefined) {
    throw invalid('The token has no iat, which maxTokenAge needs');
  }
  const { notBefore, issuedFrom, expires, outdated } = lifetimeOf(claims, issuer);
  const seconds = now / 1000;
  if (seconds >= expires) throw new TokenError('AUTH_TOKEN_EXPIRED', 'The token has expired');
  if (seconds < notBefore) throw new TokenError('AUTH_TOKEN_NOT_YET_VALID', 'The token is not valid yet');
  if (seconds < issuedFrom)
    throw new TokenError('AUTH_TOKEN_NOT_YET_VALID', 'The token was issued in the future');
  if (seconds >= outdated) throw new TokenError('AUTH_TOKEN_EXPIRED', 'The token is older than maxTokenAge');
}

/** RFC 9068 §4: a string or a list of strings, one of them ours, compared as they are. */
function checkAudience(claims: Unchecked, issuer: TrustedIssuer): void {
  const audiences = issuer.audiences;
  if (audiences === null) return;
  const { aud } = claims;
  const given: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (
    given.some((value) => typeof value !== 'string') ||
    !given.some((value) => audiences.has(String(value)))
  ) {
    throw new TokenError('AUTH_TOKEN_AUDIENCE_MISMATCH', 'The token is meant for someone else');
  }
}

/** RFC 8725 §3.12: tokens of another kind, signed with the same keys, must fail. */
function checkKind(claims: Unchecked): void {
  const { typ, token_use: use } = claims;
  const foreign =
    FOREIGN_CLAIMS.some((name) => Object.hasOwn(claims, name)) ||
    (typeof typ === 'string' && FOREIGN_TYPES.has(typ.toLowerCase())) ||
    (use !== undefined && use !== 'access');
  if (foreign) throw new TokenError('AUTH_TOKEN_TYPE_REFUSED', 'The token is not an access token');
}

function checkPresence(claims: Unchecked, issuer: TrustedIssuer): void {
  const missing = issuer.requiredClaims.find((name) => !Object.hasOwn(claims, name) || claims[name] === null);
  if (missing !== undefined) throw invalid(`The token lacks the required claim ${missing}`);
  const { sub, jti } = claims;
  if ((sub !== undefined && typeof sub !== 'string') || (jti !== undefined && typeof jti !== 'string')) {
    throw invalid('The sub or jti of the token is not a string');
  }
}

function checkProfile(claims: Unchecked): void {
  const missing = PROFILE_CLAIMS.find((name) => claims[name] === undefined || claims[name] === '');
  if (missing !== undefined) throw invalid(`The token lacks ${missing}, which RFC 9068 requires`);
  // RFC 8693 §4.3: a string; the others have been looked at before.
  if (typeof claims['client_id'] !== 'string') throw invalid('The client_id of the token is not a string');
}

function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function invalid(message: string): TokenError {
  return new TokenError('AUTH_TOKEN_CLAIM_INVALID', message);
}
