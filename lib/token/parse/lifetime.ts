import type { TrustedIssuer } from '../trusted-issuer.js';
import { isPresent } from './claim.js';
import { refusal } from './refusal.js';

/** The times during which a token may be used, in seconds since the epoch, clock tolerance included. */
export interface Lifetime {
  readonly notBefore: number;
  /** With `maxTokenAge`; else without bound. */
  readonly issuedFrom: number;
  /** First moment that is too late (RFC 7519 §4.1.4). */
  readonly expires: number;
  /** First moment at which the token is older than `maxTokenAge`. */
  readonly outdated: number;
}

type Dates = { readonly exp?: unknown; readonly nbf?: unknown; readonly iat?: unknown };
type Limits = Pick<TrustedIssuer, 'clockTolerance' | 'maxTokenAge'>;

/**
 * Computes the lifetime of a token whose dates are numbers. `iat` counts with `maxTokenAge` only: RFC 7519 §4.1.6 has no
 * rule that it must lie in the past, which is what `nbf` is for.
 */
export function lifetimeOf({ exp, nbf, iat }: Dates, { clockTolerance, maxTokenAge }: Limits): Lifetime {
  const issuedAt = Number(iat ?? 0);
  return {
    notBefore: Number(nbf ?? 0) - clockTolerance,
    issuedFrom: maxTokenAge === undefined ? Number.NEGATIVE_INFINITY : issuedAt - clockTolerance,
    expires: Number(exp) + clockTolerance,
    outdated: issuedAt + (maxTokenAge ?? Number.POSITIVE_INFINITY) + clockTolerance,
  };
}

/**
 * Checks that a token may be used now.
 *
 * @param now wall-clock time in milliseconds
 * @throws {TokenError}
 */
export function assertLifetime(dates: Dates, issuer: Limits, now: number): void {
  if (issuer.maxTokenAge !== undefined && !isPresent(dates.iat))
    throw refusal('AUTH_TOKEN_CLAIM_INVALID', 'The token has no iat, which the option maxTokenAge needs');
  const { notBefore, issuedFrom, expires, outdated } = lifetimeOf(dates, issuer);
  const seconds = now / 1000;
  const late = (since: number): string =>
    `${away(seconds - since)} ago, clockTolerance of ${issuer.clockTolerance} s included`;
  const early = (until: number): string =>
    `in ${away(until - seconds)}, clockTolerance of ${issuer.clockTolerance} s included`;
  if (seconds >= expires)
    throw refusal('AUTH_TOKEN_EXPIRED', 'The token has expired', `It expired ${late(expires)}`);
  if (seconds < notBefore)
    throw refusal(
      'AUTH_TOKEN_NOT_YET_VALID',
      'The token is not valid yet',
      `Its nbf is reached ${early(notBefore)}`,
    );
  if (seconds < issuedFrom)
    throw refusal(
      'AUTH_TOKEN_NOT_YET_VALID',
      'The token was issued in the future',
      `Its iat is reached ${early(issuedFrom)}`,
    );
  if (seconds >= outdated)
    throw refusal(
      'AUTH_TOKEN_EXPIRED',
      'The token is older than maxTokenAge',
      `It became too old ${late(outdated)}`,
    );
}

function away(seconds: number): string {
  return `${Math.round(seconds)} s`;
}
