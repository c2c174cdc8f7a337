import { TokenError } from '../../errors/token.errors.js';
import { isCanonicalBase64url } from './base64url.js';
import type { TokenHeader, UnverifiedToken } from '../unverified-token.js';
import { assertClaims } from './claims.js';
import { parseJsonObject } from './strict-json.js';
import type { IssuerDirectory, TrustedIssuer } from '../trusted-issuer.js';

const MAX_KID_LENGTH = 256;
const FORBIDDEN = ['crit', 'b64', 'zip'] as const;

/** What a header may say: all configured issuers together at first, then the one the token names. */
export type HeaderPolicy = Pick<TrustedIssuer, 'algorithms' | 'tokenTypes'>;

/**
 * Everything that can be told of a token without a key: no I/O, linear in its length. What passes here may cost the
 * issuer a call; what does not is refused with its own reason.
 *
 * @param now wall-clock time in milliseconds
 * @throws {TokenError}
 */
export function parseToken<Issuer extends TrustedIssuer>(
  token: string,
  issuers: IssuerDirectory<Issuer>,
  now: number,
  maxLength: number,
): UnverifiedToken<Issuer> {
  const { header, payload, values } = parseJws(token, issuers, maxLength);
  const { part: claims, values: more } = decode(payload);
  const found = issuers.find(claims['iss'], claims['tid']);
  if (!found)
    throw new TokenError('AUTH_TOKEN_ISSUER_UNKNOWN', 'No issuer is configured for the iss of the token');
  assertHeader(header, found.issuer);
  assertClaims(claims, found.issuer, found.tenantId, now);
  return { token, header, claims, values: values + more, issuer: found.issuer, tenantId: found.tenantId };
}

/**
 * The first half of it: size, form and header. The payload is handed on unread, so that what a signature covers can be
 * told apart from what it says.
 *
 * @throws {TokenError}
 */
export function parseJws(
  token: string,
  policy: HeaderPolicy,
  maxLength: number,
): { readonly header: TokenHeader; readonly payload: string; readonly values: number } {
  if (token.length > maxLength) throw malformed('The token is longer than tokenMaxLength');
  const [protectedHeader, payload] = segments(token);
  const { part: header, values } = decode(protectedHeader);
  assertHeader(header, policy);
  return { header, payload, values };
}

/** RFC 7515 §3.1: three parts; a JWE has five and is refused with everything else. */
function segments(token: string): readonly [header: string, payload: string] {
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  const parts = [token.slice(0, first), token.slice(first + 1, second), token.slice(second + 1)] as const;
  if (first < 1 || second < 0 || !parts.every(isCanonicalBase64url)) {
    throw malformed('The token is not a compact JWS of three canonical base64url parts');
  }
  return [parts[0], parts[1]];
}

/** A part of a token, deep-frozen, and how many values it holds. */
interface Decoded {
  readonly part: Readonly<Record<string, unknown>>;
  readonly values: number;
}

function decode(segment: string): Decoded {
  const part = parseJsonObject(Buffer.from(segment, 'base64url'));
  if (!part) throw malformed('A part of the token is not a strict JSON object');
  return { part, values: deepFreeze(part) };
}

function assertHeader(
  header: Readonly<Record<string, unknown>>,
  { algorithms, tokenTypes }: HeaderPolicy,
): asserts header is TokenHeader {
  const { alg, typ, kid, cty } = header;
  if (typeof alg !== 'string' || !algorithms.has(alg)) {
    throw new TokenError('AUTH_TOKEN_ALGORITHM_REFUSED', 'The alg of the token is not on the allow-list');
  }
  // RFC 7515 §4.1.11: no extension is understood here, so any `crit` is fatal; RFC 7797 §7 and RFC 7516 §4.1.3 keep
  // `b64` and `zip` out of a signed JWT.
  if (FORBIDDEN.some((name) => Object.hasOwn(header, name))) {
    throw malformed('The token header demands an extension that is not supported');
  }
  if (typ !== undefined && typeof typ !== 'string') throw typeRefused('The typ of the token is not a string');
  if (!tokenTypes.has(typ === undefined ? null : mediaType(typ))) {
    throw typeRefused('The typ of the token is not on the allow-list');
  }
  // RFC 7519 §5.2: `cty: JWT` announces a nested token, which is never looked into.
  if (cty !== undefined && (typeof cty !== 'string' || mediaType(cty) === 'jwt')) {
    throw typeRefused('The token announces a nested token');
  }
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KID_LENGTH)) {
    throw malformed('The kid of the token is not a string of acceptable length');
  }
}

/** RFC 7515 §4.1.9: compared without regard to case, `application/` implied when there is no other slash. */
export function mediaType(type: string): string {
  const lower = type.toLowerCase();
  const rest = lower.startsWith('application/') ? lower.slice('application/'.length) : lower;
  return rest.includes('/') ? lower : rest;
}

/** Freezes a value all the way down, and counts what it meets. */
function deepFreeze(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  Object.freeze(value);
  let values = 1;
  for (const member of Object.values(value)) values += deepFreeze(member);
  return values;
}

function malformed(message: string): TokenError {
  return new TokenError('AUTH_TOKEN_MALFORMED', message);
}

function typeRefused(message: string): TokenError {
  return new TokenError('AUTH_TOKEN_TYPE_REFUSED', message);
}
