import { ReplaySubject, type Observable } from 'rxjs';
import type { Clock } from '../time/clock.js';
import type { IssuerMetadata } from '../keys/issuer-metadata.js';
import type { MetadataEvent } from './metadata-events.js';
import type { ResolvedMetadataOptions } from './metadata-options.js';
import type { MetadataKeeper } from './refresh/metadata-state.js';
import { MetadataRefresher } from './refresh/metadata-refresher.js';
import { describeStatus, type MetadataStatus } from './metadata-status.js';
import { OnDemandRefresh } from './refresh/on-demand-refresh.js';
import { MetadataProvider } from './metadata.provider.js';
import type { RequestStart, TimedRequest } from './refresh/refresh-request.js';

/** What is injected as {@link MetadataProvider}, with what only the library calls. */
export class IssuerMetadataProvider extends MetadataProvider {
  readonly #options: ResolvedMetadataOptions;
  readonly #clock: Clock;
  readonly #refresher: MetadataRefresher;
  readonly #keeper: MetadataKeeper;
  readonly #metadata$ = new ReplaySubject<IssuerMetadata>(1);
  readonly #onDemand: OnDemandRefresh;

  /** @param random 0 to 1; jitters the schedule and the backoff */
  constructor(options: ResolvedMetadataOptions, clock: Clock, random: () => number = Math.random) {
    super();
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

  /** Returns the current snapshot if it may serve; never loads. */
  snapshot(): IssuerMetadata | undefined {
    return this.#keeper.usable();
  }

  /** Returns when a request started: a refresh that starts later includes everything published before. */
  requestStart(): RequestStart {
    return this.#onDemand.requestStart();
  }

  /** @param start of the request, for `refreshWait` */
  async current(start?: RequestStart): Promise<IssuerMetadata> {
    const usable = this.snapshot();
    if (usable) return usable;
    return this.#onDemand.ask({ isAnyWelcome: true, start }).catch((error: unknown) => {
      // The attempt it waited for failed or took too long; one that overlapped it may have brought a snapshot.
      const loaded = this.snapshot();
      if (!loaded) throw error;
      return loaded;
    });
  }

  requestRefresh(request: TimedRequest = {}): Promise<IssuerMetadata> {
    return this.#onDemand.ask(request);
  }

  async refreshNow(): Promise<IssuerMetadata> {
    const attempt = this.#refresher.begin('operator');
    await attempt.settled;
    const usable = this.snapshot();
    if (attempt.failure || !usable) throw this.#onDemand.unavailable('The refresh failed', attempt.failure);
    return usable;
  }

  get metadata$(): Observable<IssuerMetadata> {
    return this.#metadata$.asObservable();
  }

  get events$(): Observable<MetadataEvent> {
    return this.#refresher.events$;
  }

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
