import { quote } from '../../errors/quote.js';
import type { TokenError } from '../../errors/token.errors.js';
import type { TrustedIssuer } from '../trusted-issuer.js';
import type { Claims, TokenHeader } from '../unverified-token.js';
import { isPresent } from './claim.js';
import { assertLifetime } from './lifetime.js';
import { refusal } from './refusal.js';
import { assertKind } from './token-kind.js';

type Unchecked = Readonly<Record<string, unknown>>;

/** RFC 9068 §2.2, beyond iss, exp and aud. */
const PROFILE_CLAIMS = ['sub', 'client_id', 'jti', 'iat'] as const;
/** Microsoft Graph as Entra ID writes it. Its tokens have a nonce in the header, with which no other API can verify them. */
const GRAPH = new Set([
  '00000003-0000-0000-c000-000000000000',
  'https://graph.microsoft.com',
  'https://graph.microsoft.com/',
]);

/**
 * Checks the claims of a token whose issuer is known, before its key is looked up. Claims that are `null` count as
 * absent.
 *
 * @param now wall-clock time in milliseconds
 * @throws {TokenError}
 */
export function assertClaims(
  header: TokenHeader,
  claims: Unchecked,
  issuer: TrustedIssuer,
  tenantId: string | undefined,
  now: number,
): asserts claims is Claims {
  assertTenant(tenantId, issuer);
  assertDates(claims);
  assertLifetime(claims, issuer, now);
  assertAudience(claims, issuer);
  assertKind(header, claims, issuer);
  assertPresence(claims, issuer);
  if (issuer.tokenTypes.size === 1 && issuer.tokenTypes.has('at+jwt')) assertProfile(claims);
}

/**
 * Checks what may have changed since a token was parsed: the time, and the answer of `tenants`.
 *
 * @param now wall-clock time in milliseconds
 * @throws {TokenError}
 */
export function assertStillValid(
  claims: Claims,
  issuer: TrustedIssuer,
  tenantId: string | undefined,
  now: number,
): void {
  assertTenant(tenantId, issuer);
  assertLifetime(claims, issuer, now);
}

function assertTenant(tenantId: string | undefined, issuer: TrustedIssuer): void {
  if (tenantId === undefined || issuer.admitsTenant(tenantId)) return;
  const detail = `tid of the token: ${quote(tenantId)}; the option tenants does not allow it`;
  throw refusal('AUTH_TOKEN_ISSUER_UNKNOWN', 'The tenant of the token is not allowed', detail);
}

/** RFC 7519 §4.1.4-6: numbers, finite, not before the epoch; `exp` is required. */
function assertDates(claims: Unchecked): void {
  if (!Object.hasOwn(claims, 'exp') || claims['exp'] === null) throw invalid('The token has no exp');
  for (const name of ['exp', 'nbf', 'iat']) {
    const value = claims[name];
    if (isPresent(value) && !isNumericDate(value))
      throw invalid(
        `The ${name} of the token is not a numeric date`,
        `${name} of the token: ${quote(value)}`,
      );
  }
}

/** RFC 9068 §4: a string or a list of strings, one of them configured, compared as they are. */
function assertAudience({ aud }: Unchecked, { audiences }: TrustedIssuer): void {
  if (audiences === null) return;
  const given: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (given.every((value) => typeof value === 'string') && given.some((value) => audiences.has(value)))
    return;
  const configured = `option audience: ${quote([...audiences])}`;
  if (!isPresent(aud)) {
    const detail = `${configured}. For an issuer that sends no aud: audience: null, and a check of the client in validate`;
    throw refusal('AUTH_TOKEN_AUDIENCE_MISMATCH', 'The token has no aud', detail);
  }
  const detail = `aud of the token: ${quote(aud)}; ${configured}${hintAbout(aud)}`;
  throw refusal('AUTH_TOKEN_AUDIENCE_MISMATCH', 'The aud of the token names no configured audience', detail);
}

/** A sentence about a token that no key of its issuer verifies for this API; empty for any other. */
export function hintAbout(aud: unknown): string {
  const given: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const isForGraph = given.some((value) => typeof value === 'string' && GRAPH.has(value));
  return isForGraph ? '. It is meant for Microsoft Graph: request a token for a scope of this API' : '';
}

function assertPresence(claims: Unchecked, issuer: TrustedIssuer): void {
  const missing = issuer.requiredClaims.find((name) => !Object.hasOwn(claims, name) || claims[name] === null);
  if (missing !== undefined) throw invalid(`The token lacks the required claim ${missing}`);
  for (const [name, accepted] of issuer.claimValues) {
    const value = claims[name];
    // RFC 8725 §3.9: the value itself; neither a list that holds it nor anything that reads like it.
    if (typeof value !== 'string' || !accepted.has(value))
      throw invalid(
        `The ${name} of the token is not one of requiredClaims`,
        `${name} of the token: ${quote(value)}`,
      );
  }
  const { sub, jti } = claims;
  if ((isPresent(sub) && typeof sub !== 'string') || (isPresent(jti) && typeof jti !== 'string')) {
    throw invalid('The sub or jti of the token is not a string');
  }
}

function assertProfile(claims: Unchecked): void {
  const missing = PROFILE_CLAIMS.find((name) => !isPresent(claims[name]) || claims[name] === '');
  if (missing !== undefined) throw invalid(`The token lacks ${missing}, which RFC 9068 requires`);
  // RFC 8693 §4.3: a string; the others have been checked before.
  if (typeof claims['client_id'] !== 'string') throw invalid('The client_id of the token is not a string');
}

function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function invalid(message: string, detail?: string): TokenError {
  return refusal('AUTH_TOKEN_CLAIM_INVALID', message, detail);
}
