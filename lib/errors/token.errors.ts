import { AuthError, type TokenErrorCode } from './auth.error.js';

/** This token is bad, whoever asks and however often: 401. */
export class TokenError extends AuthError<TokenErrorCode> {}

/** Thrown by a `validate` function to refuse a token that is otherwise valid: 401. */
export class TokenRejectedError extends TokenError {
  constructor(message = 'The application refused the token', options?: ErrorOptions) {
    super('AUTH_TOKEN_REJECTED', message, options);
  }
}

/**
 * The signature does not verify with the keys at hand. `cause` tells the two cases apart: jwks-rsa's
 * `SigningKeyNotFoundError` when no key of the set fits, any other error when one fits and the signature is wrong.
 */
export class SignatureInvalidError extends TokenError {
  constructor(
    /** What a refresh of the metadata could change about it. */
    readonly staleness: 'key-not-found' | 'bad-signature',
    options: ErrorOptions,
  ) {
    super(
      'AUTH_TOKEN_SIGNATURE_INVALID',
      staleness === 'key-not-found'
        ? 'The signing key is not in the key set'
        : 'The signature does not verify',
      options,
    );
  }
}
