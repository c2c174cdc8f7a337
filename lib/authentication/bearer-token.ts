import { withFixedText } from '../errors/auth.error.js';
import { RequestInvalidError, TokenMissingError } from '../errors/request.errors.js';
import { TokenError } from '../errors/token.errors.js';
import type { Credentials } from './credentials.js';

const BEARER = 'bearer';

/**
 * Reads the token of `Bearer <token>` (RFC 6750 §2.1) in one pass and without a regular expression.
 *
 * @param schemes that are accepted, in lower case
 * @throws {TokenMissingError} no value, or another scheme
 * @throws {RequestInvalidError} several values, a value that is no string, no token, or several words
 */
export function presentedToken(credentials: Credentials, schemes: ReadonlySet<string>): string {
  const value = authorizationOf(credentials);
  const end = value.indexOf(' ');
  const scheme = end < 0 ? value : value.slice(0, end);
  if (!isOneOf(scheme, schemes)) throw new TokenMissingError();
  const token = end < 0 ? '' : withoutSpaces(value, end);
  if (token === '') throw invalid('The Authorization header carries no token');
  if (token.includes(' ')) throw invalid('The Authorization header carries more than one word');
  return token;
}

/** The scheme that a token came with, in lower case; `bearer` for one that an extractor has found elsewhere. */
export function schemeOf({ authorization }: Credentials, token: string): string {
  if (typeof authorization !== 'string' || !authorization.trimEnd().endsWith(` ${token}`)) return BEARER;
  return authorization.slice(0, authorization.indexOf(' ')).toLowerCase();
}

/** Puts the scheme in front of a bare token, for the places outside HTTP headers where clients often leave it out. */
export function asBearer(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const word = value.trim();
  return word === '' || word.includes(' ') || word.toLowerCase() === BEARER ? value : `Bearer ${word}`;
}

/**
 * The `authorization` of credentials that may come in several places: places that name different tokens come back as a
 * list, which is refused like two `Authorization` headers.
 */
export function authorizationAmong(places: readonly unknown[]): unknown {
  const given = places.filter((value) => value !== undefined && value !== null && value !== '');
  const distinct = [...new Set(given)];
  return distinct.length > 1 ? distinct : distinct[0];
}

/** RFC 9110 §11.1: schemes are compared without regard to case. Those of credentials are short. */
function isOneOf(scheme: string, schemes: ReadonlySet<string>): boolean {
  return scheme === 'Bearer' || (scheme.length <= 16 && schemes.has(scheme.toLowerCase()));
}

/** RFC 6750 §2.1, RFC 9110 §11.4: spaces and nothing else; `trim` would take a tab or a no-break space, too. */
function withoutSpaces(text: string, from: number): string {
  let start = from;
  let end = text.length;
  while (start < end && text[start] === ' ') start++;
  while (end > start && text[end - 1] === ' ') end--;
  return text.slice(start, end);
}

/**
 * Refuses a header that an extractor of the user's own must not work on: passport-jwt's expression takes a time that grows
 * with the square of a header without a second word. A request without the header passes.
 *
 * @throws {TokenError} longer than `tokenMaxLength` allows
 * @throws {TokenMissingError} another scheme, in another form than `scheme SP token`
 * @throws {RequestInvalidError} several headers, or `Bearer` in another form
 */
export function assertExtractable(credentials: Credentials, tokenMaxLength: number): void {
  const value = authorizationOf(credentials);
  if (value.length > tokenMaxLength + BEARER.length + 1) {
    throw withFixedText(
      new TokenError('AUTH_TOKEN_MALFORMED', 'The Authorization header is longer than tokenMaxLength allows'),
    );
  }
  if (value === '') return;
  const end = value.indexOf(' ');
  if (end > 0 && isVisible(value.slice(0, end)) && isVisible(withoutSpaces(value, end))) return;
  if (value.slice(0, BEARER.length).toLowerCase() !== BEARER) throw new TokenMissingError();
  throw invalid('The Authorization header is not of the form Bearer <token>');
}

/** One word of visible ASCII characters. */
function isVisible(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x21 || code > 0x7e) return false;
  }
  return text !== '';
}

function authorizationOf({ authorization }: Credentials): string {
  if (typeof authorization === 'string') return authorization;
  if (authorization === undefined || authorization === null) return '';
  throw invalid(
    Array.isArray(authorization)
      ? 'The request has several Authorization headers; send one'
      : 'The Authorization header is no string',
  );
}

function invalid(message: string): RequestInvalidError {
  return withFixedText(new RequestInvalidError(message));
}
