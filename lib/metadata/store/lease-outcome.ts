import type { MetadataRefreshError } from '../../errors/metadata.errors.js';
import type { RefreshAttempt } from '../refresh/refresh-attempt.js';
import type { GrantedLease, StoredMetadata } from './metadata-store.js';

/** This replica, as its fleet coordination sees it. */
export interface Replica {
  /** The place of the current snapshot in the order of the fleet's checks. */
  readonly fence: number;
  /** Replaces the current snapshot by a stored one, if that is newer. Never rejects. */
  adopt(stored: StoredMetadata): Promise<void>;
  /** Another replica could not read the issuer's metadata: back off with it. */
  backOff(retryAfter: number): void;
  /** Whether what has been adopted makes a fetch unnecessary. @param fence known when the attempt started */
  isServed(attempt: RefreshAttempt, fence: number): boolean;
  /** Whether the current snapshot comes from a double-checked read above this fence. */
  provesAbsence(fence: number): boolean;
}

/** How an attempt goes on: this replica fetches, with a lease or without, or another replica has served it. */
export type LeaseOutcome =
  | { readonly mayFetch: true; readonly lease: GrantedLease | undefined }
  | { readonly mayFetch: false; readonly provesAbsence: boolean; readonly failure?: MetadataRefreshError };

export const FETCH_WITHOUT_LEASE: LeaseOutcome = { mayFetch: true, lease: undefined };
/** It may not serve every waiting request: those that remain start another attempt. */
export const SERVED_BY_ANOTHER_REPLICA: LeaseOutcome = { mayFetch: false, provesAbsence: false };
