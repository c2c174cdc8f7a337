import { MetadataRefreshError } from '../../errors/metadata.errors.js';
import type { Clock } from '../../time/clock.js';
import type { Reading } from '../fetch/metadata-reader.js';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import type { MetadataLease, StoredMetadata } from './metadata-store.js';
import type { RefreshAttempt } from '../refresh/refresh-attempt.js';
import { Signal } from '../refresh/signal.js';
import type { StoreClient } from './store-client.js';
import { ALONE, ANSWERED, type SharingMember, type Turn } from './lease-outcome.js';

/** The fleet's bucket holds two of a replica's: one replica under attack, its own spent, leaves as much to the others. */
const BUCKETS = 2;
const SHORTEST_WAIT = 10;
const SHORTEST_LEASE = 1000;
const UNKNOWN = Number.POSITIVE_INFINITY;

/** One replica's part in a fleet that asks the issuer as one client. Without the store, everybody asks for themselves. */
export class MetadataSharing {
  readonly #options: ResolvedMetadataOptions;
  readonly #client: StoreClient;
  readonly #clock: Clock;
  readonly #member: SharingMember;
  readonly #news = new Signal();
  /** The highest fence given, and the highest of a failed check. */
  #seen = 0;
  #failed = 0;
  #isClosed = false;
  #spentSince: number | undefined;

  constructor(options: ResolvedMetadataOptions, client: StoreClient, clock: Clock, member: SharingMember) {
    this.#options = options;
    this.#client = client;
    this.#clock = clock;
    this.#member = member;
  }

  /** Listens for what other replicas find. */
  join(): void {
    this.#client.watch({
      received: (stored) => {
        this.#member.adopt(stored);
        this.#news.notify();
      },
      failed: ({ fence, retryAfter }) => {
        // A later check has succeeded, or the same failure has been told before.
        if (fence <= Math.max(this.#failed, this.#member.fence)) return;
        this.#failed = fence;
        this.#member.backOff(retryAfter);
        this.#news.notify();
      },
    });
  }

  /** The store first, then the lease; resolves when it is this replica's turn, or when another one's has answered. */
  async turn(attempt: RefreshAttempt): Promise<Turn> {
    this.join();
    if (attempt.trigger === 'operator') return this.#operatorsTurn();
    if (attempt.trigger !== 'automatic' || !this.#client.canWatch) {
      await this.#load();
      if (this.#member.isAnswered(attempt, UNKNOWN)) return ANSWERED;
    }
    const giveUpAt = this.#clock.monotonic() + this.#patience;
    let since: number | undefined;
    while (!this.#isClosed) {
      const news = this.#news.count;
      // Not what was learned from a refusal: whoever had the lease then may have found something since.
      const heardOf = Math.max(this.#failed, this.#member.fence);
      const lease = await this.#acquire(attempt.isOnDemand);
      if (!lease) return ALONE;
      if (lease.isMine) return this.#granted(attempt, lease, heardOf);
      // What bears a higher fence was started after the question.
      since ??= lease.fence;
      const now = this.#clock.monotonic();
      if (!this.#isSettled(attempt, since)) {
        const isOutOfPatience = now >= giveUpAt;
        if (isOutOfPatience && attempt.isOnDemand && this.#mayBeSpent(now)) return ANSWERED;
        const wait = Math.min(Math.max(lease.retryAfter, SHORTEST_WAIT), giveUpAt - now);
        if (!isOutOfPatience) await this.#newsWithin(wait, news);
        // Nobody tells of what is found, or the message has been lost.
        if (isOutOfPatience || !this.#client.canWatch) await this.#load();
        if (isOutOfPatience && !this.#isSettled(attempt, since)) return ALONE;
      }
      if (this.#member.isAnswered(attempt, since))
        return { isMine: false, isConclusive: this.#member.isConclusive(since) };
      if (this.#hasFailed(attempt, since))
        return { isMine: false, isConclusive: this.#failed > since, failure: failedElsewhere() };
    }
    return ALONE;
  }

  /** Lets the fleet have a complete check. In the background: no request waits for it. */
  publish(reading: Reading, attempt: RefreshAttempt, lease: MetadataLease | undefined): void {
    if (this.#client.canLease && !lease) return;
    const { issuer, automaticRefreshInterval, lastKnownGoodLifetime } = this.#options;
    const metadata: StoredMetadata = {
      issuer,
      jwksUri: reading.jwksUri,
      // All that was published: a replica with other algorithms, or another runtime, has its own judgement.
      keys: [...reading.keys, ...reading.skipped].flatMap(({ jwk }) => (jwk ? [jwk] : [])),
      checkedAt: Math.round(this.#clock.now() - (this.#clock.monotonic() - attempt.startedAt)),
      fence: lease?.fence,
      isConfirmed: reading.isConfirmed,
    };
    const expiresIn = automaticRefreshInterval + lastKnownGoodLifetime;
    void this.#client.save(metadata, { expiresIn, lease });
  }

  /** Gives the lease back after a failure, and lets the fleet back off. */
  release(lease: MetadataLease | undefined, failure: MetadataRefreshError): void {
    if (!lease) return;
    this.#failed = Math.max(this.#failed, lease.fence);
    const notice = { fence: lease.fence, retryAfter: failure.details.retryAfterMs ?? 0 };
    // The end of this replica says nothing about the issuer.
    void this.#client.releaseLease(lease, failure.fault === 'closed' ? undefined : notice);
  }

  close(): void {
    this.#isClosed = true;
    this.#client.close();
    this.#news.notify();
  }

  async #operatorsTurn(): Promise<Turn> {
    const lease = await this.#acquire(false);
    return { isMine: true, lease: lease?.isMine ? lease : undefined };
  }

  /** Another replica may have come and gone since this one looked: then there is something to look at first. */
  async #granted(attempt: RefreshAttempt, lease: MetadataLease, heardOf: number): Promise<Turn> {
    if (lease.fence > heardOf + 1) {
      await this.#load();
      if (this.#member.isAnswered(attempt, UNKNOWN)) {
        void this.#client.releaseLease(lease);
        return ANSWERED;
      }
    }
    return { isMine: true, lease };
  }

  /** A budget that stays spent for longer than it takes to refill is a lie. */
  #mayBeSpent(now: number): boolean {
    return this.#spentSince !== undefined && now - this.#spentSince < this.#options.refreshInterval / BUCKETS;
  }

  /** Requests wait no longer than `refreshWait`: a lease whose holder is dead must not outlast them. */
  get #leaseDuration(): number {
    const { refreshWait, timeout } = this.#options;
    return Math.max(SHORTEST_LEASE, Math.min(timeout, refreshWait / 2));
  }

  /** When a holder dies, there is time left for one more: else all would ask for themselves as the lease ends. */
  get #patience(): number {
    return 1.5 * this.#leaseDuration;
  }

  get #heardOf(): number {
    return Math.max(this.#seen, this.#failed, this.#member.fence);
  }

  async #load(): Promise<void> {
    const stored = await this.#client.load();
    if (stored) this.#member.adopt(stored);
  }

  async #acquire(isOnDemand: boolean): Promise<MetadataLease | undefined> {
    const { refreshBurst, refreshInterval } = this.#options;
    const lease = await this.#client.acquireLease({
      duration: this.#leaseDuration,
      seen: this.#heardOf,
      budget: isOnDemand ? { burst: BUCKETS * refreshBurst, interval: refreshInterval / BUCKETS } : undefined,
    });
    if (!lease) return undefined;
    this.#seen = lease.fence;
    this.#spentSince = lease.isSpent ? (this.#spentSince ?? this.#clock.monotonic()) : undefined;
    return lease;
  }

  #isSettled(attempt: RefreshAttempt, since: number): boolean {
    return this.#member.isAnswered(attempt, since) || this.#hasFailed(attempt, since);
  }

  /** On demand only a failure that started after the question counts; what is merely due can wait for the backoff. */
  #hasFailed({ trigger }: RefreshAttempt, since: number): boolean {
    return this.#failed > since || (trigger === 'automatic' && this.#failed === since);
  }

  /** @param since how much news there had been when the question was put: a message may overtake its answer */
  async #newsWithin(milliseconds: number, since: number): Promise<void> {
    if (this.#news.count !== since || this.#isClosed) return;
    let timer = 0;
    let leave: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      timer = this.#clock.setTimeout(resolve, milliseconds);
      leave = this.#news.onNext(resolve);
    });
    leave?.();
    this.#clock.clearTimeout(timer);
  }
}

function failedElsewhere(): MetadataRefreshError {
  return new MetadataRefreshError('unreachable', 'Another replica could not refresh the metadata');
}
