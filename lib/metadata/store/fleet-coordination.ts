import { firstValueFrom, race, ReplaySubject, Subject } from 'rxjs';
import { MetadataRefreshError } from '../../errors/metadata.errors.js';
import type { Clock } from '../../time/clock.js';
import type { Reading } from '../fetch/metadata-reader.js';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import type { RefreshAttempt } from '../refresh/refresh-attempt.js';
import { timer } from '../refresh/scheduler.js';
import {
  FETCH_WITHOUT_LEASE,
  SERVED_BY_ANOTHER_REPLICA,
  type LeaseOutcome,
  type Replica,
} from './lease-outcome.js';
import { leaseDuration, leaseRequest, refillTime } from './lease-terms.js';
import type { GrantedLease, MetadataLease } from './metadata-store.js';
import { toStored } from './parse-stored.js';
import { SpentBudget } from './spent-budget.js';
import type { StoreClient } from './store-client.js';

const SHORTEST_WAIT = 10;
const UNKNOWN = Number.POSITIVE_INFINITY;

/** One replica's part in a fleet that reads the issuer as one client. Without the store, each replica reads for itself. */
export class FleetCoordination {
  /** Emits when another replica has reported a check. */
  readonly #report$ = new Subject<void>();
  /** The highest fence a lease request returned, and the highest of a failed check. */
  #seen = 0;
  #failed = 0;
  readonly #spentBudget: SpentBudget;

  constructor(
    private readonly options: ResolvedMetadataOptions,
    private readonly client: StoreClient,
    private readonly clock: Clock,
    private readonly replica: Replica,
    private readonly closing: AbortSignal,
  ) {
    this.#spentBudget = new SpentBudget(refillTime(options));
    closing.addEventListener('abort', () => this.#report$.complete());
  }

  /** Watches the store for the checks of other replicas. */
  join(): void {
    this.client.watch({
      received: (stored) => {
        void this.replica.adopt(stored).then(() => this.#report$.next());
      },
      failed: ({ fence, retryAfter }) => {
        // A later check has succeeded, or this failure has been reported before.
        if (fence <= Math.max(this.#failed, this.replica.fence)) return;
        this.#failed = fence;
        this.replica.backOff(retryAfter);
        this.#report$.next();
      },
    });
  }

  /** Looks into the store, then requests the lease until this replica may fetch or another has served the attempt. */
  async lease(attempt: RefreshAttempt): Promise<LeaseOutcome> {
    this.join();
    if (attempt.trigger === 'operator') return this.#operatorLease();
    if (attempt.trigger !== 'automatic' || !this.client.canWatch) {
      await this.#load();
      if (this.replica.isServed(attempt, UNKNOWN)) return SERVED_BY_ANOTHER_REPLICA;
    }
    // When a replica dies with the lease, this leaves time for one more; else all would fetch as the lease ends.
    const giveUpAt = this.clock.monotonic() + 1.5 * leaseDuration(this.options);
    let firstFence: number | undefined;
    while (!this.closing.aborted) {
      // From before the request: a report may overtake its answer.
      const reported$ = new ReplaySubject<void>(1);
      const subscription = this.#report$.subscribe(reported$);
      try {
        // Not the fence of a refusal: the holder at that time may have found something since.
        const known = Math.max(this.#failed, this.replica.fence);
        const lease = await this.#acquire(attempt);
        if (!lease) return FETCH_WITHOUT_LEASE;
        if (lease.isGranted) return await this.#granted(attempt, lease, known);
        // Without waiting: a wrong signature or a withdrawn key is refused when no refresh is permitted.
        if (attempt.keepsReserve && lease.reason === 'budget-spent') return SERVED_BY_ANOTHER_REPLICA;
        // A check with a higher fence started after this attempt.
        firstFence ??= lease.fence;
        const outcome =
          this.#outcome(attempt, firstFence) ??
          (await this.#awaitReport(attempt, firstFence, giveUpAt, lease.retryAfter, reported$));
        if (outcome) return outcome;
      } finally {
        subscription.unsubscribe();
      }
    }
    return FETCH_WITHOUT_LEASE;
  }

  /** Shares a complete check with the fleet. In the background: no request waits for it. */
  publish(reading: Reading, attempt: RefreshAttempt, lease: GrantedLease | undefined): void {
    if (this.client.canLease && !lease) return;
    const { issuer, automaticRefreshInterval, lastKnownGoodLifetime } = this.options;
    const checkedAt = Math.round(this.clock.now() - (this.clock.monotonic() - attempt.startedAt));
    const metadata = toStored(reading, issuer, checkedAt, lease?.fence);
    const expiresIn = automaticRefreshInterval + lastKnownGoodLifetime;
    void this.client.save(metadata, { expiresIn, lease });
  }

  /** Releases the lease after a failure, and makes the fleet back off. */
  release(lease: GrantedLease | undefined, failure: MetadataRefreshError): void {
    if (!lease) return;
    this.#failed = Math.max(this.#failed, lease.fence);
    const notice = { fence: lease.fence, retryAfter: failure.details.retryAfterMs ?? 0 };
    // The end of this replica says nothing about the issuer.
    void this.client.releaseLease(lease, failure.fault === 'closed' ? undefined : notice);
  }

  async #operatorLease(): Promise<LeaseOutcome> {
    const lease = await this.#acquire();
    return { mayFetch: true, lease: lease?.isGranted ? lease : undefined };
  }

  /** Another replica may have had the lease since this one looked: then the store is read first. */
  async #granted(attempt: RefreshAttempt, lease: GrantedLease, known: number): Promise<LeaseOutcome> {
    if (lease.fence > known + 1) {
      await this.#load();
      if (this.replica.isServed(attempt, UNKNOWN)) {
        void this.client.releaseLease(lease);
        return SERVED_BY_ANOTHER_REPLICA;
      }
    }
    return { mayFetch: true, lease };
  }

  /** Waits for a report after a refusal. Returns `undefined` when the lease should be requested again. */
  async #awaitReport(
    attempt: RefreshAttempt,
    fence: number,
    giveUpAt: number,
    retryAfter: number,
    reported$: ReplaySubject<void>,
  ): Promise<LeaseOutcome | undefined> {
    const now = this.clock.monotonic();
    const isOutOfPatience = now >= giveUpAt;
    if (isOutOfPatience && attempt.isOnDemand && this.#spentBudget.isCredible(now))
      return SERVED_BY_ANOTHER_REPLICA;
    if (!isOutOfPatience) {
      const wait = Math.min(Math.max(retryAfter, SHORTEST_WAIT), giveUpAt - now);
      await firstValueFrom(race(reported$, timer(now + wait, this.clock)), { defaultValue: undefined });
    }
    // The store sends no reports, or one has been lost.
    if (isOutOfPatience || !this.client.canWatch) await this.#load();
    return this.#outcome(attempt, fence) ?? (isOutOfPatience ? FETCH_WITHOUT_LEASE : undefined);
  }

  /** What another replica's check above this fence means for an attempt. */
  #outcome(attempt: RefreshAttempt, fence: number): LeaseOutcome | undefined {
    if (this.replica.isServed(attempt, fence))
      return { mayFetch: false, provesAbsence: this.replica.provesAbsence(fence) };
    if (!this.#hasFailed(attempt, fence)) return undefined;
    return { mayFetch: false, provesAbsence: this.#failed > fence, failure: failedElsewhere() };
  }

  /** On demand only a failure that started after the attempt counts; an automatic refresh can wait for the backoff. */
  #hasFailed({ trigger }: RefreshAttempt, fence: number): boolean {
    return this.#failed > fence || (trigger === 'automatic' && this.#failed === fence);
  }

  async #load(): Promise<void> {
    const stored = await this.client.load();
    if (stored) await this.replica.adopt(stored);
  }

  async #acquire(attempt?: RefreshAttempt): Promise<MetadataLease | undefined> {
    const seen = Math.max(this.#seen, this.#failed, this.replica.fence);
    const lease = await this.client.acquireLease(leaseRequest(this.options, attempt, seen));
    if (!lease) return undefined;
    this.#seen = lease.fence;
    if (attempt?.keepsReserve) return lease;
    this.#spentBudget.observe(lease, this.clock.monotonic());
    return lease;
  }
}

function failedElsewhere(): MetadataRefreshError {
  return new MetadataRefreshError('unreachable', 'Another replica could not refresh the metadata');
}
