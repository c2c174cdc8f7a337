import { AuthError } from './auth.error.js';
import { oneLine } from './one-line.js';

/** The token could not be checked, so nothing is said about it: 503 with `Retry-After`. */
export class MetadataUnavailableError extends AuthError {
  constructor(
    message: string,
    /** Whole seconds, at least 1, after which the client may try again. */
    readonly retryAfter: number,
    options?: ErrorOptions,
  ) {
    super('AUTH_METADATA_UNAVAILABLE', message, options);
  }
}

/** Why a refresh failed. `defect`: a fault of this library, or of a function it was given; report it. */
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
  | 'defect'
  | 'closed';

/** Why a member of a key set is not used. It never costs the set its good members. */
export type KeyFault =
  | 'malformed'
  | 'private'
  | 'symmetric'
  | 'not-for-signatures'
  | 'algorithm-not-allowed'
  | 'unsupported'
  | 'weak'
  | 'too-many';

/** A member of a key set that is not used. */
export interface KeyRefusal {
  readonly kid: string | undefined;
  readonly fault: KeyFault;
  /** Differs from member to member. */
  readonly fingerprint?: string;
}

/** What is known of a failed refresh beyond its fault. */
export interface RefreshFailureDetails {
  /** HTTP status of the answer. */
  readonly status?: number;
  /** `Retry-After` of the answer, in milliseconds. */
  readonly retryAfterMs?: number;
  /** With `no-usable-key`: the members of the refused set. */
  readonly skipped?: readonly KeyRefusal[];
}

/** One attempt to read the issuer's metadata failed. Never leaves the library except as a `cause`. */
export class MetadataRefreshError extends Error {
  override readonly name = 'MetadataRefreshError';

  constructor(
    readonly fault: MetadataFault,
    message: string,
    readonly details: RefreshFailureDetails = {},
    options?: ErrorOptions,
  ) {
    super(oneLine(message), options);
  }
}

/** An error that no answer of the issuer explains. */
export function defect(cause: unknown): MetadataRefreshError {
  const name = cause instanceof Error ? `${cause.name}: ${cause.message}` : typeof cause;
  const message = `The refresh failed by a defect, not by the issuer (${oneLine(name, 200)})`;
  return new MetadataRefreshError('defect', message, {}, { cause });
}

/** The fault of a store, or of a snapshot that it holds. */
export type StoreFault =
  'unavailable' | 'timeout' | 'malformed' | 'tampered' | 'wrong-issuer' | 'too-old' | 'outdated';

/** The store failed, or holds what cannot be used. Appears in events and `status()` only: no request fails by it. */
export class MetadataStoreError extends Error {
  override readonly name = 'MetadataStoreError';

  constructor(
    readonly fault: StoreFault,
    message: string,
    options?: ErrorOptions,
  ) {
    super(oneLine(message), options);
  }
}
