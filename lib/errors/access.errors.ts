import { AuthError, type AccessErrorCode } from './auth.error.js';

/** The token is valid and does not allow this: 403. */
export class AccessDeniedError extends AuthError<AccessErrorCode> {
  constructor(
    code: AccessErrorCode,
    message: string,
    /** With `AUTH_SCOPE_MISSING`: every scope the operation needs. */
    readonly requiredScopes: readonly string[] = [],
  ) {
    super(code, message);
  }
}
