import type { ResolvedMetadataOptions } from '../metadata-options.js';
import type { RefreshAttempt } from '../refresh/refresh-attempt.js';
import { RESERVE } from '../refresh/refresh-limits.js';
import type { LeaseRequest } from './metadata-store.js';

/** The fleet's bucket holds two of a replica's: one replica under attack, its own spent, leaves as much to the others. */
const BUCKETS = 2;
/** Milliseconds. */
const SHORTEST_LEASE = 1000;

/** Milliseconds of a lease. Requests wait no longer than `refreshWait`: the lease of a dead replica must end before. */
export function leaseDuration({ refreshWait, timeout }: ResolvedMetadataOptions): number {
  return Math.max(SHORTEST_LEASE, Math.min(timeout, refreshWait / 2));
}

/** Milliseconds until the fleet's bucket holds one refresh more. */
export function refillTime({ refreshInterval }: ResolvedMetadataOptions): number {
  return refreshInterval / BUCKETS;
}

/**
 * Returns the request for a lease. Only what a request has caused spends the budget.
 *
 * @param attempt `undefined` for a refresh of the operator
 * @param seen the highest fence this replica knows
 */
export function leaseRequest(
  options: ResolvedMetadataOptions,
  attempt: RefreshAttempt | undefined,
  seen: number,
): LeaseRequest {
  return {
    duration: leaseDuration(options),
    seen,
    budget: attempt?.isOnDemand
      ? {
          burst: BUCKETS * options.refreshBurst,
          interval: refillTime(options),
          reserve: attempt.keepsReserve ? BUCKETS * RESERVE : 0,
        }
      : undefined,
  };
}
