import type { MetadataRefreshError } from '../../errors/metadata.errors.js';
import type { MetadataLease, StoredMetadata } from './metadata-store.js';
import type { RefreshAttempt } from '../refresh/refresh-attempt.js';

/** What the store tells, to whoever holds the snapshot. */
export interface SharingMember {
  /** The place of the snapshot at hand in the order of the fleet's checks. */
  readonly fence: number;
  /** Takes over a snapshot if it is newer than the one at hand. */
  adopt(stored: StoredMetadata): void;
  /** Another replica could not reach the issuer: back off with it. */
  backOff(retryAfter: number): void;
  /** Whether what has been adopted makes asking the issuer needless. @param since the fence known when it started */
  isAnswered(attempt: RefreshAttempt, since: number): boolean;
  /** Whether the snapshot at hand comes of a confirmed check above this fence: what it lacks is not there. */
  isConclusive(since: number): boolean;
}

/** How an attempt goes on: by asking the issuer, under a lease or alone, or not at all, since another replica has. */
export type Turn =
  | { readonly isMine: true; readonly lease: MetadataLease | undefined }
  | { readonly isMine: false; readonly isConclusive: boolean; readonly failure?: MetadataRefreshError };

export const ALONE: Turn = { isMine: true, lease: undefined };
/** Perhaps not everybody's question: who is left with one asks again. */
export const ANSWERED: Turn = { isMine: false, isConclusive: false };
