import { ReplaySubject, type Observable } from 'rxjs';
import type { Clock } from '../time/clock.js';
import type { IssuerMetadata } from '../keys/issuer-metadata.js';
import type { MetadataEvent } from './metadata-events.js';
import type { ResolvedMetadataOptions } from './metadata-options.js';
import type { MetadataKeeper } from './refresh/metadata-state.js';
import { MetadataRefresher } from './refresh/metadata-refresher.js';
import { describeStatus, type MetadataStatus } from './metadata-status.js';
import { OnDemandRefresh } from './refresh/on-demand-refresh.js';
import type { RefreshMark, RefreshRequest } from './refresh/refresh-request.js';

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
  readonly #onDemand: OnDemandRefresh;

  /** @param random 0 to 1; jitters the schedule and the backoff */
  constructor(options: ResolvedMetadataOptions, clock: Clock, random: () => number = Math.random) {
    this.#options = options;
    this.#clock = clock;
    this.#refresher = new MetadataRefresher(options, clock, random);
    this.#keeper = this.#refresher.keeper;
    this.#onDemand = new OnDemandRefresh(options, clock, this.#refresher);
    this.#refresher.events$.subscribe({
      next: (event) => {
        if (event.type === 'metadata-changed') this.#metadata$.next(event.metadata);
      },
      complete: () => this.#metadata$.complete(),
    });
  }

  /** The snapshot at hand, if it may serve; never loads. */
  snapshot(): IssuerMetadata | undefined {
    return this.#keeper.usable();
  }

  /** A point in the order of refreshes: what starts later knows of everything published before now. */
  mark(): RefreshMark {
    return this.#onDemand.mark();
  }

  /**
   * The metadata. Never waits while a usable snapshot exists; else waits for one budgeted refresh.
   *
   * @param since when the need arose, for `refreshWait`
   * @throws {MetadataUnavailableError} when there is none within `refreshWait`
   */
  async current(since?: RefreshMark): Promise<IssuerMetadata> {
    const usable = this.snapshot();
    if (usable) return usable;
    return this.#onDemand.ask({ isAnyWelcome: true, since }).catch((error: unknown) => {
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
    return this.#onDemand.ask(request);
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
    if (attempt.failure || !usable) throw this.#onDemand.unavailable('The refresh failed', attempt.failure);
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
      waiting: this.#onDemand.waiting,
    });
  }

  /** Loads for the first time, as `startup` says. Called by the module at boot. */
  async start(): Promise<void> {
    if (this.#options.startup === 'lazy') return;
    const attempt = this.#refresher.begin('load');
    await attempt.settled;
    if (attempt.failure && this.#options.startup === 'require' && !this.snapshot()) {
      const reason = `The metadata of ${this.#options.issuer} could not be loaded: ${attempt.failure.message}`;
      throw this.#onDemand.unavailable(reason, attempt.failure);
    }
  }

  /** Ends timers, exchanges and waits; the snapshot at hand still serves requests that are being finished. */
  close(): void {
    this.#refresher.close();
  }
}
