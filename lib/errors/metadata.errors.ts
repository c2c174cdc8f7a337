import { AuthError } from './auth.error.js';

/** We could not check: nothing is said about the token. 503 with `Retry-After`. */
export class MetadataUnavailableError extends AuthError {
  constructor(
    message: string,
    /** Whole seconds, at least 1, after which asking again may help. */
    readonly retryAfter: number,
    options?: ErrorOptions,
  ) {
    super('AUTH_METADATA_UNAVAILABLE', message, options);
  }
}

/** What was wrong with an answer of the issuer. */
export type MetadataFault =
  | 'unreachable'
  | 'timeout'
  | 'status'
  | 'redirect'
  | 'too-large'
  | 'not-json'
  | 'wrong-issuer'
  | 'bad-jwks-uri'
  | 'no-usable-key'
  | 'outdated'
  | 'closed';

/** One judged attempt to read the issuer's metadata failed. Never leaves the library except as a `cause`. */
export class MetadataRefreshError extends Error {
  override readonly name = 'MetadataRefreshError';

  constructor(
    readonly fault: MetadataFault,
    message: string,
    readonly details: { readonly status?: number; readonly retryAfterMs?: number } = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
