import type { IssuerMetadata } from './issuer-metadata.js';
import type { RefreshAttempt } from './refresh-attempt.js';

/** What a caller of `MetadataProvider.requestRefresh` knows. */
export interface RefreshRequest {
  /** The snapshot that did not do; a newer one that does is answered at once, with no call to the issuer. */
  readonly stale?: IssuerMetadata | undefined;
  /** The key id that was not found in it. */
  readonly kid?: string | undefined;
  /** Default `'requested'`. `'bad-signature'` is rationed more strictly than the others. */
  readonly reason?: 'key-not-found' | 'bad-signature' | 'requested' | undefined;
  /** A `MetadataProvider.mark()` taken when the question arose. Default: now. */
  readonly since?: number | undefined;
}

/** What is asked: by those who have nothing at all, for any snapshot that may serve. */
export interface Question extends RefreshRequest {
  readonly isAnyWelcome?: boolean;
}

/** The key id whose absence is the question; after a wrong signature the key is there, and something else is wrong. */
export function soughtKid({ kid, reason }: RefreshRequest): string | undefined {
  return reason === 'bad-signature' ? undefined : kid;
}

/** Whether a snapshot answers a question, at once or as what an attempt came to. */
export function satisfies(metadata: IssuerMetadata, request: Question, attempt?: RefreshAttempt): boolean {
  if (request.isAnyWelcome) return true;
  const kid = soughtKid(request);
  if (kid !== undefined) return metadata.keysWithId(kid).length > 0;
  if (request.stale)
    return metadata !== request.stale || (request.reason !== 'bad-signature' && isSuccess(attempt));
  return isSuccess(attempt);
}

function isSuccess(attempt: RefreshAttempt | undefined): boolean {
  return attempt?.isSettled === true && attempt.isConclusive && attempt.failure === undefined;
}
