import {
  BadRequestException,
  ForbiddenException,
  InternalServerErrorException,
  ServiceUnavailableException,
  UnauthorizedException,
  type HttpException,
} from '@nestjs/common';
import { AccessDeniedError } from '../errors/access.errors.js';
import type { AuthError, AuthErrorCode } from '../errors/auth.error.js';
import { MetadataUnavailableError } from '../errors/metadata.errors.js';

/** How an error of ours is answered on HTTP. */
export interface HttpAnswer {
  readonly exception: HttpException;
  readonly headers: Readonly<Record<string, string>>;
}

/** Fixed texts: nothing of the token, its claims or an upstream answer is ever reflected (RFC 6750 §3). */
const DESCRIPTIONS: Readonly<Record<AuthErrorCode, string>> = {
  AUTH_TOKEN_MISSING: 'Authentication is required',
  AUTH_REQUEST_INVALID: 'The Authorization header is malformed',
  AUTH_TOKEN_MALFORMED: 'The access token is malformed',
  AUTH_TOKEN_ALGORITHM_REFUSED: 'The signature algorithm of the access token is not accepted',
  AUTH_TOKEN_TYPE_REFUSED: 'The token is not an accepted kind of access token',
  AUTH_TOKEN_ISSUER_UNKNOWN: 'The issuer of the access token is not accepted',
  AUTH_TOKEN_AUDIENCE_MISMATCH: 'The access token is meant for another audience',
  AUTH_TOKEN_EXPIRED: 'The access token has expired',
  AUTH_TOKEN_NOT_YET_VALID: 'The access token is not valid yet',
  AUTH_TOKEN_CLAIM_INVALID: 'A claim of the access token is missing or invalid',
  AUTH_TOKEN_SIGNATURE_INVALID: 'The signature of the access token is not valid',
  AUTH_TOKEN_SENDER_CONSTRAINED:
    'The access token is bound to its sender and cannot be used as a bearer token',
  AUTH_TOKEN_REJECTED: 'The access token was rejected',
  AUTH_SCOPE_MISSING: 'The access token lacks a required scope',
  AUTH_ROLE_MISSING: 'A required role is missing',
  AUTH_POLICY_REFUSED: 'Access is denied by a policy',
  AUTH_METADATA_UNAVAILABLE: 'The access token cannot be checked at the moment',
  AUTH_CONFIGURATION_INVALID: 'Authentication is not configured correctly',
};

/** The one place where an error becomes an HTTP answer (DESIGN: RFC 6750, RFC 9110). */
export function httpAnswer(error: AuthError, realm: string | undefined): HttpAnswer {
  const description = DESCRIPTIONS[error.code];
  const body = (statusCode: number, name: string) => ({
    message: description,
    error: name,
    statusCode,
    errorCode: error.code,
  });
  const options = { cause: error, description, errorCode: error.code };
  // RFC 9111 §3.5: no shared cache may keep what was meant for one caller.
  const headers = { 'Cache-Control': 'no-store' };
  const challenge = (...parameters: readonly string[]) => ({
    ...headers,
    'WWW-Authenticate': ['Bearer', [...realmOf(realm), ...parameters].join(', ')].filter(Boolean).join(' '),
  });
  switch (error.code) {
    case 'AUTH_TOKEN_MISSING':
      // RFC 6750 §3: no error code when no credentials were sent.
      return {
        exception: new UnauthorizedException(body(401, 'Unauthorized'), options),
        headers: challenge(),
      };
    case 'AUTH_REQUEST_INVALID':
      return {
        exception: new BadRequestException(body(400, 'Bad Request'), options),
        headers: challenge('error="invalid_request"', `error_description="${description}"`),
      };
    case 'AUTH_SCOPE_MISSING':
      return {
        exception: new ForbiddenException(body(403, 'Forbidden'), options),
        headers: challenge('error="insufficient_scope"', `scope="${scopesOf(error)}"`),
      };
    case 'AUTH_ROLE_MISSING':
    case 'AUTH_POLICY_REFUSED':
      return { exception: new ForbiddenException(body(403, 'Forbidden'), options), headers };
    case 'AUTH_METADATA_UNAVAILABLE':
      return {
        exception: new ServiceUnavailableException(body(503, 'Service Unavailable'), options),
        headers: { ...headers, 'Retry-After': String(retryAfterOf(error)) },
      };
    case 'AUTH_CONFIGURATION_INVALID':
      return {
        exception: new InternalServerErrorException(body(500, 'Internal Server Error'), options),
        headers,
      };
    default:
      return {
        exception: new UnauthorizedException(body(401, 'Unauthorized'), options),
        headers: challenge('error="invalid_token"', `error_description="${description}"`),
      };
  }
}

function realmOf(realm: string | undefined): readonly string[] {
  return realm === undefined ? [] : [`realm="${realm}"`];
}

function scopesOf(error: AuthError): string {
  return error instanceof AccessDeniedError ? error.requiredScopes.join(' ') : '';
}

function retryAfterOf(error: AuthError): number {
  return error instanceof MetadataUnavailableError ? error.retryAfter : 1;
}
