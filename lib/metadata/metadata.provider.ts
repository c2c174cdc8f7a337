import { ReplaySubject, type Observable } from 'rxjs';
import { MetadataUnavailableError } from '../errors/metadata.errors.js';
import type { Clock } from './clock.js';
import type { IssuerMetadata } from './issuer-metadata.js';
import type { MetadataEvent } from './metadata-events.js';
import type { ResolvedMetadataOptions } from './metadata-options.js';
import type { MetadataKeeper } from './metadata-keeper.js';
import { MetadataRefresher } from './metadata-refresher.js';
import { describeStatus, type MetadataStatus } from './metadata-status.js';
import type { RefreshAttempt } from './refresh-attempt.js';
import { satisfies, soughtKid, type Question, type RefreshRequest } from './refresh-request.js';
import { Signal } from './signal.js';
import { Turnstile } from './turnstile.js';

/**
 * Owns the metadata of one issuer: loads it, refreshes it on schedule and on demand, keeps the last known good, and
 * tells what it does. Inject it where there is one issuer; with several, inject {@link MetadataProviders}.
 */
export class MetadataProvider {
  readonly #options: ResolvedMetadataOptions;
  readonly #clock: Clock;
  readonly #refresher: MetadataRefresher;
  readonly #keeper: MetadataKeeper;
  readonly #metadata$ = new ReplaySubject<IssuerMetadata>(1);
  readonly #changed = new Signal();
  readonly #turnstile = new Turnstile();
  #waiting = 0;

  /** @param random 0 to 1; jitters the schedule and the backoff */
  constructor(options: ResolvedMetadataOptions, clock: Clock, random: () => number = Math.random) {
    this.#options = options;
    this.#clock = clock;
    this.#refresher = new MetadataRefresher(options, clock, random);
    this.#keeper = this.#refresher.keeper;
    this.#refresher.events$.subscribe({
      next: (event) => {
        if (event.type !== 'metadata-changed') return;
        this.#metadata$.next(event.metadata);
        this.#changed.notify();
      },
      complete: () => this.#metadata$.complete(),
    });
  }

  /** The snapshot at hand, if it may serve; never loads. */
  snapshot(): IssuerMetadata | undefined {
    const usable = this.#keeper.held.usable(this.#clock.monotonic());
    if (!usable) this.#keeper.expired();
    return usable;
  }

  /** A point in the order of refreshes: what starts later knows of everything published before now. */
  mark(): number {
    return this.#refresher.started;
  }

  /**
   * The metadata. Never waits while a usable snapshot exists; else waits for one budgeted refresh.
   *
   * @throws {MetadataUnavailableError} when there is none within `refreshWait`
   */
  async current(): Promise<IssuerMetadata> {
    const usable = this.snapshot();
    if (usable) return usable;
    return this.#request({ isAnyWelcome: true }).catch((error: unknown) => {
      // The attempt it waited for failed or took too long; one that overlapped it may have brought a snapshot.
      const loaded = this.snapshot();
      if (!loaded) throw error;
      return loaded;
    });
  }

  /**
   * Asks for metadata newer than `stale`, or for the key `kid`. Many callers share one refresh, and all of them stay
   * within the refresh budget; so asking may mean waiting for the next permitted refresh. The same snapshot as `stale`
   * comes back when the issuer was asked after this call and had nothing new.
   *
   * @throws {MetadataUnavailableError} when that could not be checked within `refreshWait`, with the seconds to wait
   */
  requestRefresh(request: RefreshRequest = {}): Promise<IssuerMetadata> {
    return this.#request(request);
  }

  async #request(request: Question): Promise<IssuerMetadata> {
    const since = request.since ?? this.mark();
    const deadline = this.#clock.monotonic() + this.#options.refreshWait;
    let answer = this.#known(request);
    while (!answer) {
      const attempt = this.#arrange(request, deadline);
      this.#waiting++;
      try {
        await this.#wait(attempt, request.kid, deadline);
        answer = await this.#answerOf(attempt, request, since);
      } finally {
        this.#waiting--;
      }
    }
    return answer;
  }

  /**
   * Refreshes now, outside of budget and backoff: for operators and their tools, never for requests.
   *
   * @throws {MetadataUnavailableError} when the refresh fails
   */
  async refreshNow(): Promise<IssuerMetadata> {
    const attempt = this.#refresher.begin('operator');
    await attempt.settled;
    const usable = this.snapshot();
    if (attempt.failure || !usable) throw this.#unavailable('The refresh failed', attempt.failure);
    return usable;
  }

  /** The current snapshot first, then each that differs; completes when the module is closed. */
  get metadata$(): Observable<IssuerMetadata> {
    return this.#metadata$.asObservable();
  }

  /** What happens, as it happens; completes when the module is closed. */
  get events$(): Observable<MetadataEvent> {
    return this.#refresher.events$;
  }

  /** The state at this moment. */
  status(): MetadataStatus {
    const { keeper, store } = this.#refresher;
    return describeStatus({
      keeper,
      store,
      options: this.#options,
      clock: this.#clock,
      waiting: this.#waiting,
    });
  }

  /** Loads for the first time, as `startup` says. Called by the module at boot. */
  async start(): Promise<void> {
    if (this.#options.startup === 'lazy') return;
    const attempt = this.#refresher.begin('load');
    await attempt.settled;
    if (attempt.failure && this.#options.startup === 'require' && !this.snapshot()) {
      const reason = `The metadata of ${this.#options.issuer} could not be loaded: ${attempt.failure.message}`;
      throw this.#unavailable(reason, attempt.failure);
    }
  }

  /** Ends timers, exchanges and waits; the snapshot at hand still serves requests that are being finished. */
  close(): void {
    this.#refresher.close();
  }

  /** What can be answered with no refresh at all. */
  #known(request: RefreshRequest): IssuerMetadata | undefined {
    const { stale } = request;
    const usable = this.snapshot();
    if (!usable || !stale) return undefined;
    if (usable !== stale && satisfies(usable, request)) return usable;
    const kid = soughtKid(request);
    return kid !== undefined && this.#keeper.absent.holds(kid, this.#clock.monotonic()) ? usable : undefined;
  }

  #arrange({ reason, kid }: RefreshRequest, deadline: number): RefreshAttempt {
    if (this.#waiting >= this.#options.maxWaiting)
      throw this.#unavailable('Too many requests wait for a refresh');
    const attempt =
      reason === 'bad-signature'
        ? this.#refresher.arrangeForBadSignature(kid)
        : this.#refresher.arrange(deadline);
    if (!attempt)
      throw this.#unavailable('No refresh is permitted soon enough', this.#keeper.lastFailure?.error);
    return attempt;
  }

  async #wait(attempt: RefreshAttempt, kid: string | undefined, deadline: number): Promise<void> {
    if (kid !== undefined && attempt.awaited.size < this.#options.maxWaiting) attempt.awaited.add(kid);
    let timer = 0;
    let leave: (() => void) | undefined;
    const isLate = await new Promise<boolean>((resolve) => {
      timer = this.#clock.setTimeout(() => resolve(true), deadline - this.#clock.monotonic());
      leave = this.#changed.onNext(() => resolve(false));
      void attempt.settled.then(() => resolve(false));
    });
    leave?.();
    this.#clock.clearTimeout(timer);
    if (isLate) throw this.#unavailable('The refresh took too long');
  }

  /** What an attempt means to a caller, once it is over or the snapshot has changed meanwhile; `undefined`: nothing, the next one has to tell. */
  async #answerOf(
    attempt: RefreshAttempt,
    request: Question,
    since: number,
  ): Promise<IssuerMetadata | undefined> {
    const usable = this.snapshot();
    if (usable && satisfies(usable, request, attempt)) return usable;
    // Only an attempt that started after the question arose can tell that there is nothing, or that nobody knows.
    if (!attempt.isSettled || attempt.number <= since || !attempt.isConclusive) return undefined;
    const kid = soughtKid(request);
    // What was published while it ran may have been missed: the finding is as old as the attempt.
    if (kid !== undefined && usable && !attempt.failure) this.#keeper.absent.add(kid, attempt.startedAt);
    await this.#turnstile.pass();
    const latest = this.snapshot();
    if (latest && satisfies(latest, request, attempt)) return latest;
    if (attempt.failure || !latest) throw this.#unavailable('The refresh failed', attempt.failure);
    return latest;
  }

  #unavailable(message: string, cause?: Error): MetadataUnavailableError {
    const now = this.#clock.monotonic();
    const seconds = Math.ceil((this.#keeper.gate.onDemandAt(now) - now) / 1000);
    return new MetadataUnavailableError(message, Math.max(1, seconds), { cause });
  }
}
