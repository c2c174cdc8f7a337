import type { MetadataRefreshError } from '../../errors/metadata.errors.js';
import type { RefreshTrigger } from '../metadata-events.js';

/** One attempt to refresh, from the moment it is planned; any number of requests wait for the same one. */
export class RefreshAttempt {
  #settle: (() => void) | undefined;
  #number = Number.POSITIVE_INFINITY;
  /** Resolves when the attempt has succeeded or failed; never rejects. */
  readonly settled = new Promise<void>((resolve) => {
    this.#settle = resolve;
  });
  /** Whether a request waits for proof that a key is absent; after a wrong signature, any later check will do. */
  needsProofOfAbsence = false;
  /** The key ids that requests wait for. */
  readonly requestedKids = new Set<string>();
  /** Whether a request waits for any new key. */
  needsNewKey = false;
  trigger: RefreshTrigger = 'on-demand';
  /** Whether requests caused it; a load may be one of these. */
  isOnDemand = false;
  /** Whether it must leave the fleet's reserve to the requests of a rollover. */
  keepsReserve = false;
  /** Monotonic. */
  startedAt = Number.POSITIVE_INFINITY;
  failure: MetadataRefreshError | undefined;
  /** Whether the issuer was read after it started: then a key it did not find is absent. */
  provesAbsence = true;
  isSettled = false;

  /** Attempts are numbered in the order they start: a later one includes everything published before. */
  get number(): number {
    return this.#number;
  }

  start(number: number, trigger: RefreshTrigger, isFirst: boolean, now: number): void {
    this.#number = number;
    this.startedAt = now;
    this.isOnDemand = trigger === 'on-demand';
    this.trigger = isFirst ? 'load' : trigger;
  }

  /** Only the first call counts: after the module is closed, an exchange may still end. */
  settle(failure?: MetadataRefreshError): void {
    if (this.isSettled) return;
    this.failure = failure;
    this.isSettled = true;
    this.#settle?.();
  }
}
