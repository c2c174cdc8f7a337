import { Subject, Subscription, type Observable } from 'rxjs';
import { MetadataRefreshError } from '../errors/metadata.errors.js';
import type { Clock } from './clock.js';
import { HeldMetadata } from './held-metadata.js';
import type { MetadataEvent, RefreshTrigger } from './metadata-events.js';
import { MetadataNews } from './metadata-news.js';
import type { ResolvedMetadataOptions } from './metadata-options.js';
import { MetadataReader, type Reading } from './metadata-reader.js';
import { closed, MetadataRetriever } from './metadata-retriever.js';
import { NegativeMemory } from './negative-memory.js';
import { RefreshAttempt } from './refresh-attempt.js';
import { RefreshGate } from './refresh-gate.js';
import { schedule } from './schedule.js';

/** Runs the judged attempts of one issuer, one at a time, and puts what they find in place. */
export class MetadataRefresher {
  readonly held: HeldMetadata;
  readonly gate: RefreshGate;
  readonly absent: NegativeMemory;
  readonly #options: ResolvedMetadataOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #retriever: MetadataRetriever;
  readonly #reader: MetadataReader;
  readonly #news: MetadataNews;
  readonly #dueAt = new Subject<number>();
  readonly #arrangedAt = new Subject<number>();
  readonly #schedules = new Subscription();
  #started = 0;
  #recoveries = 0;
  #running: RefreshAttempt | undefined;
  #arranged: RefreshAttempt | undefined;
  #isClosed = false;
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
    attempt.start(++this.#started, this.held.metadata ? trigger : 'load', this.#clock.monotonic());
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

  close(): void {
    this.#isClosed = true;
    this.#schedules.unsubscribe();
    this.#arranged?.settle(closed());
    this.#arranged = undefined;
    this.#retriever.close();
    this.#news.close();
  }

  #startArranged(): void {
    // A timer may fire a moment early; and an attempt under way has taken the arranged one's place already.
    if (!this.#arranged) return;
    const now = this.#clock.monotonic();
    if (this.gate.enter(now)) this.begin('on-demand');
    else this.#arrangedAt.next(this.gate.onDemandAt(now));
  }

  async #run(attempt: RefreshAttempt): Promise<void> {
    this.#news.tell({ type: 'refresh-started', trigger: attempt.trigger });
    let failure: MetadataRefreshError | undefined;
    try {
      const { held } = this;
      const reading = await this.#reader.read({
        // As of the moment it is asked for: an attempt that overlaps this one may replace it meanwhile.
        get known() {
          return held.metadata;
        },
        notBefore: held.generatedAt,
        keySetFirst: attempt.trigger === 'on-demand',
        awaited: attempt.awaited,
      });
      failure = this.#isClosed ? closed() : this.#accept(reading, attempt);
    } catch (error) {
      failure = error instanceof MetadataRefreshError ? error : unexpected(error);
    }
    if (failure && !this.#isClosed) this.#failed(attempt, failure);
    if (this.#running === attempt) this.#running = undefined;
    attempt.settle(failure);
  }

  /** @returns what was left undone, when the reading could not be completed */
  #accept(reading: Reading, attempt: RefreshAttempt): MetadataRefreshError | undefined {
    if (this.held.isAheadOf(attempt.number)) return undefined;
    const isFirst = this.held.metadata === undefined;
    const change = this.held.accept(reading, attempt.number);
    if (!reading.unconfirmed || isFirst) this.#renew(reading, attempt.startedAt);
    if (change) {
      this.absent.reset(change.withdrawnKeyIds);
      this.#news.tell({ type: 'metadata-changed', ...change });
    }
    this.#news.tellOf(reading);
    if (reading.unconfirmed) return reading.unconfirmed;
    this.gate.succeeded();
    this.lastFailure = undefined;
    this.#planAt(this.held.freshUntil);
    this.#news.tell({ type: 'refresh-succeeded', trigger: attempt.trigger, changed: change !== undefined });
    return undefined;
  }

  #failed(attempt: RefreshAttempt, error: MetadataRefreshError): void {
    if (this.held.isAheadOf(attempt.number)) return;
    const now = this.#clock.monotonic();
    this.gate.failed(now, error.details.retryAfterMs);
    this.lastFailure = { at: now, error };
    const planned = this.nextAutomaticAt ?? now;
    // A failure on demand does not bring the next automatic refresh forward.
    this.#planAt(planned > now ? Math.max(planned, this.gate.refusedUntil) : this.gate.automaticAt());
    this.#news.tell({
      type: 'refresh-failed',
      trigger: attempt.trigger,
      error,
      failures: this.gate.failures,
    });
  }

  #renew(reading: Reading, checkedAt: number): void {
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
