import type { IssuerMetadata } from '../../keys/issuer-metadata.js';
import type { RefreshAttempt } from './refresh-attempt.js';

/** What a caller of `MetadataProvider.requestRefresh` knows. */
export interface RefreshRequest {
  /** The snapshot that did not do; a newer one that does is answered at once, with no call to the issuer. */
  readonly stale?: IssuerMetadata | undefined;
  /** The key id that was not found in it. */
  readonly kid?: string | undefined;
  /** Default `'requested'`. `'bad-signature'` is rationed more strictly than the others. */
  readonly reason?: 'key-not-found' | 'bad-signature' | 'requested' | undefined;
}

/** A refresh request with its start. */
export interface TimedRequest extends RefreshRequest {
  /** Default: now. */
  readonly start?: RequestStart | undefined;
}

/** When a request started: only a later refresh answers it, and it waits no longer than its deadline. */
export interface RequestStart {
  /** Attempts with a higher number know of everything published before. */
  readonly started: number;
  /** Monotonic. */
  readonly deadline: number;
}

/** What is asked: by those who have nothing at all, for any snapshot that may serve. */
export interface Question extends TimedRequest {
  readonly isAnyWelcome?: boolean;
}

/** The key id whose absence is the question; after a wrong signature the key is there, and something else is wrong. */
export function soughtKid({ kid, reason }: RefreshRequest): string | undefined {
  return reason === 'bad-signature' ? undefined : kid;
}

/** Whether a snapshot answers a question, at once or as what an attempt came to. */
export function satisfies(
  metadata: IssuerMetadata,
  question: Question,
  attempt?: RefreshAttempt,
  start?: RequestStart,
): boolean {
  if (question.isAnyWelcome) return true;
  const kid = soughtKid(question);
  if (kid !== undefined) return metadata.keysWithId(kid).length > 0;
  if (question.stale && metadata !== question.stale) return true;
  return question.reason !== 'bad-signature' && hasAnswered(attempt, start);
}

/** Only an attempt that started after the question arose can tell that there is nothing new. */
function hasAnswered(attempt: RefreshAttempt | undefined, start: RequestStart | undefined): boolean {
  if (!attempt?.isSettled || !start || attempt.number <= start.started) return false;
  return attempt.isConclusive && attempt.failure === undefined;
}
