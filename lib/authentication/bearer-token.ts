import { RequestInvalidError, TokenMissingError } from '../errors/request.errors.js';
import { TokenError } from '../errors/token.errors.js';

/** As much of a request as the parser looks at; Express, Fastify and Node agree on it. */
interface RequestLike {
  readonly headers?: { readonly authorization?: unknown };
  readonly rawHeaders?: readonly string[];
  /** Fastify keeps Node's request here. */
  readonly raw?: { readonly rawHeaders?: readonly string[] };
}

const SCHEME = 'bearer';

/**
 * Takes the token out of `Authorization: Bearer` (RFC 6750 §2.1), in one pass and without a regular expression.
 *
 * @throws {TokenMissingError} no header, or another scheme
 * @throws {RequestInvalidError} two headers, no token, or several words
 */
export function bearerToken(request: RequestLike): string {
  assertSingleHeader(request);
  const header = authorizationOf(request);
  const end = header.indexOf(' ');
  const scheme = end < 0 ? header : header.slice(0, end);
  // RFC 9110 §11.1: the scheme is compared without regard to case.
  if (scheme.length !== SCHEME.length || scheme.toLowerCase() !== SCHEME) throw new TokenMissingError();
  const token = end < 0 ? '' : withoutSpaces(header, end);
  if (token === '') throw new RequestInvalidError('The Authorization header carries no token');
  if (token.includes(' '))
    throw new RequestInvalidError('The Authorization header carries more than one word');
  return token;
}

/** RFC 6750 §2.1, RFC 9110 §11.4: spaces and nothing else; `trim` would take a tab or a no-break space, too. */
function withoutSpaces(text: string, from: number): string {
  let start = from;
  let end = text.length;
  while (start < end && text[start] === ' ') start++;
  while (end > start && text[end - 1] === ' ') end--;
  return text.slice(start, end);
}

/** Refuses an oversized header before an extractor of the user's own works on it. @throws {TokenError} */
export function assertHeaderLength(request: RequestLike, tokenMaxLength: number): void {
  if (authorizationOf(request).length > tokenMaxLength + SCHEME.length + 1) {
    throw new TokenError(
      'AUTH_TOKEN_MALFORMED',
      'The Authorization header is longer than tokenMaxLength allows',
    );
  }
}

function authorizationOf({ headers }: RequestLike): string {
  const header = headers?.authorization;
  return typeof header === 'string' ? header : '';
}

/** Node keeps the first of two Authorization headers and drops the rest; only the raw list tells (RFC 6750 §2). */
function assertSingleHeader(request: RequestLike): void {
  const raw = request.rawHeaders ?? request.raw?.rawHeaders ?? [];
  let seen = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i];
    if (name?.length === 13 && name.toLowerCase() === 'authorization' && ++seen > 1) {
      throw new RequestInvalidError('The request has two Authorization headers');
    }
  }
}
