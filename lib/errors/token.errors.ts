import { AuthError, type TokenErrorCode } from './auth.error.js';

/** The token is bad, and stays so: 401. */
export class TokenError extends AuthError<TokenErrorCode> {}

/** Thrown by a `validate` function to refuse a token that is otherwise valid: 401. */
export class TokenRejectedError extends TokenError {
  constructor(message = 'The application refused the token', options?: ErrorOptions) {
    super('AUTH_TOKEN_REJECTED', message, options);
  }
}

/** What stale metadata may explain about a failure: a key that is missing, or one whose material has been replaced. */
export type Staleness = 'key-not-found' | 'bad-signature';

/** A refusal that stale metadata may explain; it is final when the issuer has nothing new. */
export class KeyMismatchError extends TokenError {
  constructor(
    code: TokenErrorCode,
    message: string,
    /** What a refresh of the metadata may change. */
    readonly staleness: Staleness,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

/**
 * No key of the current key set verifies the token. `cause` distinguishes two cases: jwks-rsa's `SigningKeyNotFoundError`
 * when no key fits the token, any other error when keys fit and the signature is wrong.
 */
export class SignatureInvalidError extends KeyMismatchError {
  constructor(message: string, staleness: Staleness, options?: ErrorOptions) {
    super('AUTH_TOKEN_SIGNATURE_INVALID', message, staleness, options);
  }
}
