import type { MetadataRefreshError } from '../../errors/metadata.errors.js';
import type { RefreshTrigger } from '../metadata-events.js';

/** One judged attempt to refresh, from the moment it is arranged; any number of requests wait for the same one. */
export class RefreshAttempt {
  #settle: (() => void) | undefined;
  #number = Number.POSITIVE_INFINITY;
  /** Resolves when the attempt is over, whatever came of it; never rejects. */
  readonly settled = new Promise<void>((resolve) => {
    this.#settle = resolve;
  });
  /** Whether somebody waits to hear what is not there; after a wrong signature, any later look will do. */
  isAboutAbsence = false;
  /** The key ids somebody waits for. */
  readonly awaited = new Set<string>();
  trigger: RefreshTrigger = 'on-demand';
  /** Whether requests caused it; a load may be one of these. */
  isOnDemand = false;
  /** Monotonic. */
  startedAt = Number.POSITIVE_INFINITY;
  failure: MetadataRefreshError | undefined;
  /** Whether the issuer was asked after it started: then what it did not find is not there. */
  isConclusive = true;
  isSettled = false;

  /** Attempts are numbered in the order they start: a later number knows of everything published before. */
  get number(): number {
    return this.#number;
  }

  start(number: number, trigger: RefreshTrigger, isFirst: boolean, now: number): void {
    this.#number = number;
    this.startedAt = now;
    this.isOnDemand = trigger === 'on-demand';
    this.trigger = isFirst ? 'load' : trigger;
  }

  /** Only the first word counts: what is closed may go on ending for a while. */
  settle(failure?: MetadataRefreshError): void {
    if (this.isSettled) return;
    this.failure = failure;
    this.isSettled = true;
    this.#settle?.();
  }
}
