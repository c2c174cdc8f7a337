import { Subject, Subscription, type Observable } from 'rxjs';
import { MetadataRefreshError } from '../errors/metadata.errors.js';
import { MetadataStoreError } from '../errors/store.error.js';
import type { Clock } from './clock.js';
import { HeldMetadata, type MetadataChange } from './held-metadata.js';
import type { MetadataEvent, RefreshTrigger } from './metadata-events.js';
import { judgeStored } from './judge-stored.js';
import { MetadataNews } from './metadata-news.js';
import type { ResolvedMetadataOptions } from './metadata-options.js';
import { MetadataReader, type Reading } from './metadata-reader.js';
import { closed, MetadataRetriever } from './metadata-retriever.js';
import { MetadataSharing, type SharingMember } from './metadata-sharing.js';
import type { MetadataLease, StoredMetadata } from './metadata-store.js';
import { NegativeMemory } from './negative-memory.js';
import { RefreshAttempt } from './refresh-attempt.js';
import { RefreshGate } from './refresh-gate.js';
import { schedule } from './schedule.js';
import { StoreClient } from './store-client.js';

/** Runs the judged attempts of one issuer, one at a time, and puts what they find in place. */
export class MetadataRefresher implements SharingMember {
  readonly held: HeldMetadata;
  readonly gate: RefreshGate;
  readonly absent: NegativeMemory;
  readonly #options: ResolvedMetadataOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #retriever: MetadataRetriever;
  readonly #reader: MetadataReader;
  readonly #news: MetadataNews;
  readonly #sharing: MetadataSharing | undefined;
  readonly #dueAt = new Subject<number>();
  readonly #arrangedAt = new Subject<number>();
  readonly #schedules = new Subscription();
  #started = 0;
  #recoveries = 0;
  #running: RefreshAttempt | undefined;
  #arranged: RefreshAttempt | undefined;
  #isClosed = false;
  /** Too old to serve while the issuer can be asked. */
  #fallback: StoredMetadata | undefined;
  readonly store: StoreClient | undefined;
  /** When the next automatic refresh starts. */
  nextAutomaticAt: number | undefined;
  lastFailure: { readonly at: number; readonly error: MetadataRefreshError } | undefined;

  constructor(options: ResolvedMetadataOptions, clock: Clock, random: () => number) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#news = new MetadataNews(options.issuer);
    this.held = new HeldMetadata(options.issuer);
    this.gate = new RefreshGate(options, random);
    this.absent = new NegativeMemory(options.refreshInterval);
    this.#retriever = new MetadataRetriever(options, clock);
    this.#reader = new MetadataReader(options, this.#retriever, clock);
    if (options.store) {
      const { store, issuer, refreshInterval } = options;
      this.store = new StoreClient(store, issuer, clock, this.#news, refreshInterval);
      this.#sharing = new MetadataSharing(options, this.store, clock, this);
    }
    this.#schedules.add(
      schedule(this.#dueAt, clock).subscribe(() => this.#running ?? this.begin('automatic')),
    );
    this.#schedules.add(schedule(this.#arrangedAt, clock).subscribe(() => this.#startArranged()));
  }

  get events$(): Observable<MetadataEvent> {
    return this.#news.events$;
  }

  /** How many attempts have been started. */
  get started(): number {
    return this.#started;
  }

  /** Starts an attempt now; one that waits for its turn becomes this one. */
  begin(trigger: RefreshTrigger): RefreshAttempt {
    const attempt = this.#arranged ?? new RefreshAttempt();
    if (this.#isClosed) {
      attempt.settle(closed());
      return attempt;
    }
    this.#arranged = undefined;
    this.#running = attempt;
    attempt.start(++this.#started, trigger, !this.held.metadata, this.#clock.monotonic());
    void this.#run(attempt);
    return attempt;
  }

  /** The attempt an on-demand caller should wait for; `undefined` when none may start until the deadline. */
  arrange(deadline: number): RefreshAttempt | undefined {
    if (this.#isClosed) return undefined;
    if (this.#running) return this.#running;
    const now = this.#clock.monotonic();
    if (this.gate.available(now) === this.#options.refreshBurst) this.#recoveries++;
    if (this.gate.enter(now)) return this.begin('on-demand');
    const permittedAt = this.gate.onDemandAt(now);
    if (permittedAt > deadline) return undefined;
    if (!this.#arranged) {
      this.#tellExhaustion(now);
      this.#arranged = new RefreshAttempt();
      this.#arrangedAt.next(permittedAt);
    }
    return this.#arranged;
  }

  /** The same after a wrong signature: it joins, it may start, it never waits for its turn. */
  arrangeForBadSignature(kid: string | undefined): RefreshAttempt | undefined {
    if (this.#isClosed) return undefined;
    if (this.#running) return this.#running;
    return this.gate.enterForBadSignature(kid, this.#clock.monotonic()) ? this.begin('on-demand') : undefined;
  }

  /** Tells once that the snapshot at hand has expired. */
  expired(): void {
    const { metadata } = this.held;
    if (metadata)
      this.#news.tellOnce(`expired ${this.held.checkedAt}`, { type: 'metadata-expired', metadata });
  }

  get fence(): number {
    return this.held.fence;
  }

  /** Takes over a snapshot of the store, if it is newer than the one at hand and not too old to serve. */
  adopt(stored: StoredMetadata): void {
    if (!this.#isClosed) this.#adopt(stored, false);
  }

  /** After a failure here, or in another replica. @param retryAfter what the issuer asked for, in milliseconds */
  backOff(retryAfter = 0): void {
    const now = this.#clock.monotonic();
    this.gate.failed(now, retryAfter);
    const planned = this.nextAutomaticAt ?? now;
    // A failure on demand does not bring the next automatic refresh forward.
    this.#planAt(planned > now ? Math.max(planned, this.gate.refusedUntil) : this.gate.automaticAt());
  }

  isAnswered(attempt: RefreshAttempt, since: number): boolean {
    const { held } = this;
    const now = this.#clock.monotonic();
    if (attempt.trigger === 'load') return held.usable(now) !== undefined;
    if (attempt.trigger === 'automatic') return now < held.freshUntil;
    const { awaited } = attempt;
    const brings = (kid: string): boolean => Boolean(held.usable(now)?.keysWithId(kid).length);
    return held.isConclusive(since) || (awaited.size > 0 && [...awaited].every(brings));
  }

  close(): void {
    this.#isClosed = true;
    this.#schedules.unsubscribe();
    this.#arranged?.settle(closed());
    this.#arranged = undefined;
    this.#retriever.close();
    this.#sharing?.close();
    this.#news.close();
  }

  #startArranged(): void {
    // A timer may fire a moment early; and an attempt under way has taken the arranged one's place already.
    if (!this.#arranged) return;
    const now = this.#clock.monotonic();
    if (this.gate.enter(now)) this.begin('on-demand');
    else this.#arrangedAt.next(this.gate.onDemandAt(now));
  }

  #adopt(stored: StoredMetadata, isFallback: boolean): void {
    try {
      const { held } = this;
      const now = this.#clock.monotonic();
      const judged = judgeStored(stored, this.#options, held.metadata, this.#clock.now());
      const startedAt = now - judged.age;
      if (!held.isBehind(stored.fence, startedAt)) return;
      const { automaticRefreshInterval, lastKnownGoodLifetime } = this.#options;
      if (judged.age >= automaticRefreshInterval + lastKnownGoodLifetime)
        throw new MetadataStoreError('too-old', 'The snapshot is older than the last known good may be');
      if (judged.age >= automaticRefreshInterval && !isFallback) {
        if (!held.metadata) this.#fallback = stored;
        return;
      }
      const { change, isComplete } = held.adopt(judged, stored);
      if (isComplete) this.#renew({ generatedAt: startedAt, maxAge: undefined, age: 0 }, startedAt);
      if (isComplete && !isFallback) this.#succeeded();
      this.#changed(change);
      this.#news.tell({ type: 'snapshot-received', changed: change !== undefined });
    } catch (error) {
      if (!(error instanceof MetadataStoreError)) throw error;
      this.store?.refuse(error);
    }
  }

  async #run(attempt: RefreshAttempt): Promise<void> {
    const failure = this.#sharing ? await this.#inTurn(attempt, this.#sharing) : await this.#ask(attempt);
    if (this.#running === attempt) this.#running = undefined;
    attempt.settle(failure);
  }

  /** One of a fleet: another replica may have asked already, or be about to. */
  async #inTurn(
    attempt: RefreshAttempt,
    sharing: MetadataSharing,
  ): Promise<MetadataRefreshError | undefined> {
    const turn = await sharing.turn(attempt);
    if (turn.isMine) return this.#ask(attempt, sharing, turn.lease);
    attempt.isConclusive = turn.failure !== undefined || this.held.isConclusive(turn.since);
    const now = this.#clock.monotonic();
    // What fell due meanwhile must not be forgotten.
    if ((this.nextAutomaticAt ?? now) <= now)
      this.#planAt(Math.max(now, this.held.freshUntil, this.gate.automaticAt()));
    return turn.failure;
  }

  /** Asks the issuer, judges what it says and puts it in place. */
  async #ask(
    attempt: RefreshAttempt,
    sharing?: MetadataSharing,
    lease?: MetadataLease,
  ): Promise<MetadataRefreshError | undefined> {
    try {
      if (this.#isClosed) throw closed();
      this.#news.tell({ type: 'refresh-started', trigger: attempt.trigger });
      const reading = await this.#read(attempt);
      const failure = this.#isClosed ? closed() : this.#accept(reading, attempt, lease?.fence);
      if (failure) throw failure;
      sharing?.publish(reading, attempt, lease);
      return undefined;
    } catch (error) {
      const failure = error instanceof MetadataRefreshError ? error : unexpected(error);
      if (!this.#isClosed) this.#failed(attempt, failure, lease?.fence);
      sharing?.release(lease, failure);
      return failure;
    }
  }

  #read(attempt: RefreshAttempt): Promise<Reading> {
    const { held } = this;
    return this.#reader.read({
      // As of the moment it is asked for: an attempt that overlaps this one may replace it meanwhile.
      get known() {
        return held.metadata;
      },
      notBefore: held.generatedAt,
      keySetFirst: attempt.trigger === 'on-demand',
      awaited: attempt.awaited,
    });
  }

  /** @returns what was left undone, when the reading could not be completed */
  #accept(reading: Reading, attempt: RefreshAttempt, fence?: number): MetadataRefreshError | undefined {
    if (this.held.isAheadOf(attempt, fence)) return undefined;
    const isFirst = this.held.metadata === undefined;
    const change = this.held.accept(reading, attempt.number, fence);
    if (!reading.unconfirmed || isFirst) this.#renew(reading, attempt.startedAt);
    this.#changed(change);
    this.#news.tellOf(reading);
    if (reading.unconfirmed) return reading.unconfirmed;
    this.#succeeded();
    this.#news.tell({ type: 'refresh-succeeded', trigger: attempt.trigger, changed: change !== undefined });
    return undefined;
  }

  #failed(attempt: RefreshAttempt, error: MetadataRefreshError, fence?: number): void {
    if (this.held.isAheadOf(attempt, fence)) return;
    this.lastFailure = { at: this.#clock.monotonic(), error };
    this.backOff(error.details.retryAfterMs);
    if (!this.held.metadata && this.#fallback) this.#adopt(this.#fallback, true);
    this.#news.tell({
      type: 'refresh-failed',
      trigger: attempt.trigger,
      error,
      failures: this.gate.failures,
    });
  }

  #succeeded(): void {
    this.gate.succeeded();
    this.lastFailure = undefined;
    this.#planAt(this.held.freshUntil);
  }

  #changed(change: MetadataChange | undefined): void {
    if (!change) return;
    this.#fallback = undefined;
    this.absent.reset(change.withdrawnKeyIds);
    this.#news.tell({ type: 'metadata-changed', ...change });
  }

  #renew(reading: Pick<Reading, 'maxAge' | 'age' | 'generatedAt'>, checkedAt: number): void {
    const { automaticRefreshInterval, lastKnownGoodLifetime } = this.#options;
    this.held.renew(reading, checkedAt, automaticRefreshInterval, lastKnownGoodLifetime, this.#random());
  }

  #planAt(time: number): void {
    this.nextAutomaticAt = time;
    this.#dueAt.next(time);
  }

  /** Once until the budget has recovered: under a flood it is spent again as soon as it refills. */
  #tellExhaustion(now: number): void {
    if (this.gate.available(now) < 1)
      this.#news.tellOnce(`exhausted ${this.#recoveries}`, { type: 'budget-exhausted' });
  }
}

function unexpected(cause: unknown): MetadataRefreshError {
  return new MetadataRefreshError('unreachable', 'The metadata could not be read', {}, { cause });
}
