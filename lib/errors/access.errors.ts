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

/** What a login must be like, for {@link StepUpRequiredError}. */
export interface RequiredLogin {
  /** Accepted `acr` values, the preferred one first; empty when any will do. */
  readonly acrValues: readonly string[];
  /** Age of the login in whole seconds; `undefined` when it does not count. */
  readonly maxAge: number | undefined;
  /** Every scope the operation needs beside it. */
  readonly requiredScopes: readonly string[];
}

/** The token is valid, and its login too weak or too old for this (RFC 9470): 401, and the user has to log in again. */
export class StepUpRequiredError extends AuthError<'AUTH_STEP_UP_REQUIRED'> {
  readonly acrValues: readonly string[];
  readonly maxAge: number | undefined;
  readonly requiredScopes: readonly string[];

  constructor(message: string, { acrValues, maxAge, requiredScopes }: RequiredLogin) {
    super('AUTH_STEP_UP_REQUIRED', message);
    this.acrValues = acrValues;
    this.maxAge = maxAge;
    this.requiredScopes = requiredScopes;
  }
}
