import {
  BadRequestException,
  ForbiddenException,
  InternalServerErrorException,
  ServiceUnavailableException,
  UnauthorizedException,
  type HttpException,
} from '@nestjs/common';
import { challengeHeader, type AuthAnswer } from './auth-answer.js';

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
  return new exception(body, { cause: error, description, errorCode: error.code });
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
