import { MetadataUnavailableError } from '../../errors/metadata.errors.js';
import type { Clock } from '../../time/clock.js';
import type { IssuerMetadata } from '../../keys/issuer-metadata.js';
import type { MetadataKeeper } from './metadata-state.js';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import type { MetadataRefresher } from './metadata-refresher.js';
import type { RefreshAttempt } from './refresh-attempt.js';
import {
  satisfies,
  soughtKid,
  type Question,
  type RequestStart,
  type RefreshRequest,
} from './refresh-request.js';
import { WaitingRoom, type Waiter } from './wait-queue.js';

/** Answers what the snapshot at hand cannot: has everybody wait for the refresh that may tell, and no longer than that. */
export class OnDemandRefresh {
  readonly #options: ResolvedMetadataOptions;
  readonly #clock: Clock;
  readonly #refresher: MetadataRefresher;
  readonly #keeper: MetadataKeeper;
  readonly #waiting: WaitingRoom;
  /** The attempt that can be joined: when it is over, those who wait are told. */
  #watched: RefreshAttempt | undefined;

  constructor(options: ResolvedMetadataOptions, clock: Clock, refresher: MetadataRefresher) {
    this.#options = options;
    this.#clock = clock;
    this.#refresher = refresher;
    this.#keeper = refresher.keeper;
    this.#waiting = new WaitingRoom(clock, (waiter) =>
      this.#dismiss(waiter, () => this.unavailable('The refresh took too long')),
    );
    refresher.events$.subscribe(({ type }) => {
      // Whoever goes on finds everything in its place, and not in the middle of the change.
      if (type === 'metadata-changed') queueMicrotask(() => this.#reconsiderAll());
    });
  }

  /** Requests waiting. */
  get waiting(): number {
    return this.#waiting.size;
  }

  requestStart(): RequestStart {
    const deadline = this.#clock.monotonic() + this.#options.refreshWait;
    return { started: this.#refresher.started, deadline };
  }

  /** @throws {MetadataUnavailableError} when there is no answer within `refreshWait` */
  async ask(question: Question): Promise<IssuerMetadata> {
    const now = this.requestStart();
    const { started, deadline } = question.start ?? now;
    const start = { started, deadline: Math.min(deadline, now.deadline) };
    const known = this.#known(question);
    if (known) return known;
    if (this.#waiting.size >= this.#options.maxWaiting)
      throw this.unavailable('Too many requests wait for a refresh');
    const attempt = this.#arrange(question, start);
    if (!attempt) throw this.#notPermitted();
    return new Promise((resolve, reject) =>
      this.#waiting.enter({ question, start, attempt, resolve, reject }),
    );
  }

  /** The error for what could not be checked, with the seconds until it may be worth another try. */
  unavailable(message: string, cause?: Error): MetadataUnavailableError {
    const now = this.#clock.monotonic();
    const seconds = Math.ceil((this.#keeper.gate.onDemandAt(now) - now) / 1000);
    return new MetadataUnavailableError(message, Math.max(1, seconds), { cause });
  }

  /** What can be answered with no refresh at all. */
  #known(request: RefreshRequest): IssuerMetadata | undefined {
    const { stale } = request;
    const usable = this.#keeper.usable();
    if (!usable || !stale) return undefined;
    if (usable !== stale && satisfies(usable, request)) return usable;
    const kid = soughtKid(request);
    return kid !== undefined && this.#keeper.absent.holds(kid, this.#clock.monotonic()) ? usable : undefined;
  }

  /** The attempt that may answer a question; `undefined` when there will be none in time. */
  #arrange(question: Question, { deadline }: RequestStart): RefreshAttempt | undefined {
    const attempt =
      question.reason === 'bad-signature'
        ? this.#refresher.arrangeForBadSignature(question.kid)
        : this.#refresher.arrange(deadline);
    if (!attempt) return undefined;
    if (question.reason !== 'bad-signature') attempt.isAboutAbsence = true;
    this.#watch(attempt);
    const kid = soughtKid(question);
    if (kid !== undefined && attempt.awaited.size < this.#options.maxWaiting) attempt.awaited.add(kid);
    return attempt;
  }

  #watch(attempt: RefreshAttempt): void {
    if (this.#watched === attempt) return;
    this.#watched = attempt;
    void attempt.settled.then(() => this.#over(attempt));
  }

  #over(attempt: RefreshAttempt): void {
    if (this.#watched === attempt) this.#watched = undefined;
    this.#reconsiderAll();
  }

  /** After an attempt is over, or the snapshot has changed meanwhile. */
  #reconsiderAll(): void {
    for (const waiter of this.#waiting) this.#reconsider(waiter);
  }

  #reconsider(waiter: Waiter): void {
    const { question, attempt, start } = waiter;
    const usable = this.#keeper.usable();
    if (usable && satisfies(usable, question, attempt, start)) {
      this.#waiting.letIn(waiter, () =>
        this.#dismiss(waiter, (latest) => latest ?? this.unavailable('The metadata has expired')),
      );
      return;
    }
    if (!attempt.isSettled) return;
    // Only an attempt that started after the question arose can tell that there is nothing, or that nobody knows.
    if (attempt.number > start.started && attempt.isConclusive) this.#conclude(waiter, usable);
    else this.#waitOn(waiter);
  }

  /** Has a waiter wait for the next attempt. */
  #waitOn(waiter: Waiter): void {
    const attempt = this.#arrange(waiter.question, waiter.start);
    if (attempt) waiter.attempt = attempt;
    else this.#waiting.turnAway(waiter, () => this.#dismiss(waiter, () => this.#notPermitted()));
  }

  #conclude(waiter: Waiter, usable: IssuerMetadata | undefined): void {
    const { question, attempt } = waiter;
    const kid = soughtKid(question);
    // What was published while it ran may have been missed: the finding is as old as the attempt.
    if (kid !== undefined && usable && !attempt.failure) this.#keeper.absent.add(kid, attempt.startedAt);
    const { failure } = attempt;
    this.#waiting.turnAway(waiter, () =>
      this.#dismiss(waiter, (latest) =>
        latest && !failure ? latest : this.unavailable('The refresh failed', failure),
      ),
    );
  }

  /** Answers somebody who has left: with what they asked for if it is there, for it may have come or gone meanwhile. */
  #dismiss(
    { question, attempt, start, resolve, reject }: Waiter,
    refusal: (latest: IssuerMetadata | undefined) => IssuerMetadata | MetadataUnavailableError,
  ): void {
    const latest = this.#keeper.usable();
    const answer = latest && satisfies(latest, question, attempt, start) ? latest : refusal(latest);
    if (answer instanceof MetadataUnavailableError) reject(answer);
    else resolve(answer);
  }

  #notPermitted(): MetadataUnavailableError {
    return this.unavailable('No refresh is permitted soon enough', this.#keeper.lastFailure?.error);
  }
}
