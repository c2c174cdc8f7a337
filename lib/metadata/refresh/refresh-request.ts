import type { MetadataRefreshError } from '../../errors/metadata.errors.js';
import type { IssuerMetadata } from '../../keys/issuer-metadata.js';
import type { RefreshAttempt } from './refresh-attempt.js';

/** What a caller of `MetadataProvider.requestRefresh` asks for. */
export interface RefreshRequest {
  /** The snapshot that did not suffice; a newer one that does is returned at once, without a call to the issuer. */
  readonly stale?: IssuerMetadata | undefined;
  /** The key id that was not found in it. */
  readonly kid?: string | undefined;
  /** Default `'requested'`. `'bad-signature'` is limited more strictly than the others. */
  readonly reason?: 'key-not-found' | 'bad-signature' | 'requested' | undefined;
}

/** When a request started: only a later refresh answers it, and it waits no longer than its deadline. */
export interface RequestStart {
  /** Attempts started until then: one with a higher number includes everything published before. */
  readonly started: number;
  /** Monotonic. */
  readonly deadline: number;
}

/** A refresh request of this library's own. */
export interface TimedRequest extends RefreshRequest {
  /** Default: now. */
  readonly start?: RequestStart | undefined;
  /** Aborts when the caller is gone: nothing waits for it any longer. */
  readonly closed?: AbortSignal | undefined;
  /** Called when the request begins to wait. */
  readonly onWait?: (() => void) | undefined;
  /** There is no snapshot: any that may serve will do. */
  readonly acceptsAny?: boolean;
}

/** A request that waits for an attempt to refresh. */
export interface Waiter {
  readonly request: TimedRequest;
  readonly start: RequestStart;
  attempt: RefreshAttempt;
  readonly resolve: (metadata: IssuerMetadata) => void;
  readonly reject: (error: unknown) => void;
}

/** What becomes of a waiting request. */
export type Decision =
  | { readonly type: 'resolve' }
  | { readonly type: 'wait' }
  /** What it waited for started before it: only the next attempt can answer it. */
  | { readonly type: 'wait-for-next' }
  /** The issuer was read after it started, and has nothing new. */
  | { readonly type: 'absent' }
  | { readonly type: 'failed'; readonly failure: MetadataRefreshError | undefined };

/** The key id that a request looks for; after a wrong signature the key is known, and something else is wrong. */
export function requestedKid({ kid, reason }: RefreshRequest): string | undefined {
  return reason === 'bad-signature' ? undefined : kid;
}

/** Whether the token has no `kid`: then any new key may be the one it was signed with. */
export function isWithoutKid({ kid, reason }: RefreshRequest): boolean {
  return kid === undefined && reason === 'key-not-found';
}

/** Whether a snapshot has what the request looks for. */
export function isSatisfiedBy(metadata: IssuerMetadata, request: TimedRequest): boolean {
  if (request.acceptsAny) return true;
  const kid = requestedKid(request);
  if (kid !== undefined) return isPublished(metadata, kid);
  return request.stale !== undefined && metadata !== request.stale;
}

/** Whether the issuer publishes this `kid`; a key that cannot be used is no reason to look for another. */
export function isPublished(metadata: IssuerMetadata, kid: string): boolean {
  return metadata.keysWithId(kid).length > 0 || metadata.skippedWithId(kid) !== undefined;
}

/** Decides about a waiting request. Pure. @param usable the current snapshot, if it may serve */
export function decide(
  { request, attempt, start }: Pick<Waiter, 'request' | 'attempt' | 'start'>,
  usable: IssuerMetadata | undefined,
): Decision {
  if (usable && isSatisfiedBy(usable, request)) return { type: 'resolve' };
  if (!attempt.isSettled) return { type: 'wait' };
  if (attempt.number <= start.started || !attempt.provesAbsence) return { type: 'wait-for-next' };
  if (attempt.failure || !usable) return { type: 'failed', failure: attempt.failure };
  return { type: 'absent' };
}
