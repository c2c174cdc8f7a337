import { AuthError } from './auth.error.js';

/** The request carries no bearer token at all: 401 with a bare challenge. */
export class TokenMissingError extends AuthError {
  constructor() {
    super('AUTH_TOKEN_MISSING', 'The request carries no bearer token');
  }
}

/** The credentials are not of the form RFC 6750 §2.1 asks for: 400. */
export class RequestInvalidError extends AuthError {
  constructor(message: string) {
    super('AUTH_REQUEST_INVALID', message);
  }
}
