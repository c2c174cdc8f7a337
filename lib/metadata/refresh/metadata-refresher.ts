import { Subject, Subscription, type Observable } from 'rxjs';
import { MetadataRefreshError } from '../../errors/metadata.errors.js';
import type { Clock } from '../../time/clock.js';
import type { MetadataEvent, RefreshTrigger } from '../metadata-events.js';
import { MetadataKeeper } from './metadata-state.js';
import { MetadataNews } from '../event-emitter.js';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import { MetadataReader, type Reading } from '../fetch/metadata-reader.js';
import { closed, MetadataRetriever } from '../fetch/metadata-retriever.js';
import { MetadataSharing } from '../store/fleet-coordination.js';
import type { MetadataLease } from '../store/metadata-store.js';
import { RefreshAttempt } from './refresh-attempt.js';
import { schedule } from './schedule.js';
import { StoreClient } from '../store/store-client.js';
import { ALONE } from '../store/lease-outcome.js';

/** Runs the judged attempts of one issuer, one at a time: on schedule, on demand, and in turn with its fleet. */
export class MetadataRefresher {
  readonly keeper: MetadataKeeper;
  readonly store: StoreClient | undefined;
  readonly #options: ResolvedMetadataOptions;
  readonly #clock: Clock;
  readonly #retriever: MetadataRetriever;
  readonly #reader: MetadataReader;
  readonly #news: MetadataNews;
  readonly #sharing: MetadataSharing | undefined;
  readonly #arrangedAt = new Subject<number>();
  readonly #schedules = new Subscription();
  #started = 0;
  #recoveries = 0;
  #running: RefreshAttempt | undefined;
  #arranged: RefreshAttempt | undefined;
  #isClosed = false;

  constructor(options: ResolvedMetadataOptions, clock: Clock, random: () => number) {
    this.#options = options;
    this.#clock = clock;
    this.#news = new MetadataNews(options.issuer);
    this.keeper = new MetadataKeeper(options, clock, random, this.#news);
    this.#retriever = new MetadataRetriever(options, clock);
    this.#reader = new MetadataReader(options, this.#retriever, clock);
    if (options.store) {
      const { store, issuer, refreshInterval, refreshWait } = options;
      this.store = new StoreClient(store, issuer, clock, this.#news, refreshInterval, refreshWait);
      this.#sharing = new MetadataSharing(options, this.store, clock, this.keeper);
    }
    this.#schedules.add(
      schedule(this.keeper.dueAt$, clock).subscribe(() => this.#running ?? this.begin('automatic')),
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
    attempt.start(++this.#started, trigger, !this.keeper.held.metadata, this.#clock.monotonic());
    this.#run(attempt).catch((error: unknown) => this.#end(attempt, unexpected(error)));
    return attempt;
  }

  /** The attempt an on-demand caller should wait for; `undefined` when none may start until the deadline. */
  arrange(deadline: number): RefreshAttempt | undefined {
    if (this.#isClosed) return undefined;
    if (this.#running) return this.#running;
    const now = this.#clock.monotonic();
    if (this.keeper.gate.available(now) === this.#options.refreshBurst) this.#recoveries++;
    if (this.keeper.gate.enter(now)) return this.begin('on-demand');
    const permittedAt = this.keeper.gate.onDemandAt(now);
    if (permittedAt > deadline) return undefined;
    if (this.#arranged) return this.#arranged;
    const arranged = new RefreshAttempt();
    this.#arranged = arranged;
    this.#arrangedAt.next(permittedAt);
    // Who hears of it may ask for more, or close everything: it comes last.
    this.#tellExhaustion(now);
    return arranged;
  }

  /** The same after a wrong signature: it joins, it may start, it never waits for its turn. */
  arrangeForBadSignature(kid: string | undefined): RefreshAttempt | undefined {
    if (this.#isClosed) return undefined;
    if (this.#running) return this.#running;
    return this.keeper.gate.enterForBadSignature(kid, this.#clock.monotonic())
      ? this.begin('on-demand')
      : undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#schedules.unsubscribe();
    this.#arranged?.settle(closed());
    this.#arranged = undefined;
    this.#running?.settle(closed());
    this.#retriever.close();
    this.#sharing?.close();
    this.#news.close();
  }

  #startArranged(): void {
    // A timer may fire a moment early; and an attempt under way has taken the arranged one's place already.
    if (!this.#arranged) return;
    const now = this.#clock.monotonic();
    if (this.keeper.gate.enter(now)) this.begin('on-demand');
    else this.#arrangedAt.next(this.keeper.gate.onDemandAt(now));
  }

  async #run(attempt: RefreshAttempt): Promise<void> {
    const failure = this.#sharing ? await this.#inTurn(attempt, this.#sharing) : await this.#ask(attempt);
    this.#end(attempt, failure);
  }

  #end(attempt: RefreshAttempt, failure: MetadataRefreshError | undefined): void {
    if (this.#running === attempt) this.#running = undefined;
    attempt.settle(failure);
  }

  /** One of a fleet: another replica may have asked already, or be about to. */
  async #inTurn(
    attempt: RefreshAttempt,
    sharing: MetadataSharing,
  ): Promise<MetadataRefreshError | undefined> {
    // Whatever a store makes of it, the issuer can still be asked.
    const turn = await sharing.turn(attempt).catch(() => ALONE);
    if (turn.isMine) {
      attempt.startedAt = this.#clock.monotonic();
      return this.#ask(attempt, sharing, turn.lease);
    }
    attempt.isConclusive = turn.isConclusive;
    this.keeper.catchUp();
    if (turn.failure) this.keeper.fallBack();
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
      const failure = this.#isClosed ? closed() : this.keeper.accept(reading, attempt, lease?.fence);
      if (failure) throw failure;
      if (!this.keeper.held.isAheadOf(attempt, lease?.fence)) sharing?.publish(reading, attempt, lease);
      return undefined;
    } catch (error) {
      const failure = error instanceof MetadataRefreshError ? error : unexpected(error);
      if (!this.#isClosed) this.keeper.failed(attempt, failure, lease?.fence);
      sharing?.release(lease, failure);
      return failure;
    }
  }

  #read(attempt: RefreshAttempt): Promise<Reading> {
    const { held } = this.keeper;
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

  /** Once until the budget has recovered: under a flood it is spent again as soon as it refills. */
  #tellExhaustion(now: number): void {
    if (this.keeper.gate.available(now) < 1)
      this.#news.tellOnce(`exhausted ${this.#recoveries}`, { type: 'budget-exhausted' });
  }
}

function unexpected(cause: unknown): MetadataRefreshError {
  return new MetadataRefreshError('unreachable', 'The metadata could not be read', {}, { cause });
}
