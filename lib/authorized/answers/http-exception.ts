import {
  BadRequestException,
  ForbiddenException,
  InternalServerErrorException,
  ServiceUnavailableException,
  UnauthorizedException,
  type HttpException,
} from '@nestjs/common';
import type { AuthError } from '../../errors/auth.error.js';
import { withoutStackTrace } from '../../errors/without-stack-trace.js';
import { answerTo, challengeHeader, type AuthAnswer } from './auth-answer.js';

/** Nest's exception for each status, and the `error` member of its body. */
const EXCEPTIONS = {
  400: { exception: BadRequestException, name: 'Bad Request' },
  401: { exception: UnauthorizedException, name: 'Unauthorized' },
  403: { exception: ForbiddenException, name: 'Forbidden' },
  500: { exception: InternalServerErrorException, name: 'Internal Server Error' },
  503: { exception: ServiceUnavailableException, name: 'Service Unavailable' },
} as const;

/** The answer as Nest's exception; `errorCode` is in its body on Nest 11, too. */
export function httpException({ error, status, description }: AuthAnswer): HttpException {
  const { exception, name } = EXCEPTIONS[status];
  const body = { message: description, error: name, statusCode: status, errorCode: error.code };
  return withoutStackTrace(() => new exception(body, { cause: error, description, errorCode: error.code }));
}

/** Every header of the answer. */
export function httpHeaders({
  challenges,
  headers,
  retryAfter,
}: AuthAnswer): Readonly<Record<string, string>> {
  const challenge = challengeHeader(challenges);
  return {
    ...headers,
    ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
    ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
  };
}

/** The headers that a browser shows to scripts of another origin only when they are listed: `enableCors({ exposedHeaders })`. */
export const AUTH_EXPOSED_HEADERS: string[] = ['WWW-Authenticate', 'Retry-After', 'DPoP-Nonce'];
Object.freeze(AUTH_EXPOSED_HEADERS);

/** Options of {@link toHttpException}. */
export interface ToHttpExceptionOptions {
  /** The `realm` of the challenge. Default none. */
  readonly realm?: string | undefined;
  /** Called with each header of the answer: `(name, value) => response.setHeader(name, value)`. Default: none is set. */
  readonly setHeader?: ((name: string, value: string) => void) | undefined;
}

/**
 * Returns Nest's exception for an error of this library, as `AuthorizedGuard` would throw it: for guards, filters and
 * handshakes of your own that call `Authenticator`.
 */
export function toHttpException(
  error: AuthError,
  { realm, setHeader }: ToHttpExceptionOptions = {},
): HttpException {
  const answer = answerTo(error, realm);
  if (setHeader) for (const [name, value] of Object.entries(httpHeaders(answer))) setHeader(name, value);
  return httpException(answer);
}
