import { setMaxListeners } from 'node:events';
import { ReplaySubject, type Observable } from 'rxjs';
import type { IssuerMetadata } from '../keys/issuer-metadata.js';
import type { Clock } from '../time/clock.js';
import { soon } from '../time/event-loop.js';
import { MetadataEventEmitter } from './event-emitter.js';
import { MetadataReader } from './fetch/metadata-reader.js';
import { MetadataRetriever } from './fetch/metadata-retriever.js';
import { UnitedReader } from './fetch/united-reader.js';
import type { MetadataEvent } from './metadata-events.js';
import type { ResolvedMetadataOptions } from './metadata-options.js';
import { describeStatus, type MetadataStatus } from './metadata-status.js';
import { MetadataProvider } from './metadata.provider.js';
import { CurrentMetadata } from './refresh/current-metadata.js';
import { MetadataRefresher } from './refresh/metadata-refresher.js';
import { NegativeCache } from './refresh/negative-cache.js';
import { OnDemandRefresh } from './refresh/on-demand-refresh.js';
import { RefreshLimits } from './refresh/refresh-limits.js';
import type { RequestStart, TimedRequest } from './refresh/refresh-request.js';
import { RefreshScheduler } from './refresh/scheduler.js';
import { FleetCoordination } from './store/fleet-coordination.js';
import { StoreClient } from './store/store-client.js';

/** What is injected as {@link MetadataProvider}, with what only the library calls: makes the parts and connects them. */
export class IssuerMetadataProvider extends MetadataProvider {
  readonly #options: ResolvedMetadataOptions;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #metadata$ = new ReplaySubject<IssuerMetadata>(1);
  readonly #events: MetadataEventEmitter;
  readonly #limits: RefreshLimits;
  readonly #scheduler: RefreshScheduler;
  readonly #current: CurrentMetadata;
  readonly #store: StoreClient | undefined;
  readonly #refresher: MetadataRefresher;
  readonly #onDemand: OnDemandRefresh;

  /** @param random 0 to 1; jitters the schedule and the backoff */
  constructor(options: ResolvedMetadataOptions, clock: Clock, random: () => number = Math.random) {
    super();
    this.#options = options;
    this.#clock = clock;
    const { signal } = this.#closing;
    // One listener per part and per exchange under way: many are no leak.
    setMaxListeners(0, signal);
    const events = (this.#events = new MetadataEventEmitter(options.issuer));
    const limits = (this.#limits = new RefreshLimits(options, random));
    const scheduler = (this.#scheduler = new RefreshScheduler(clock, limits, signal));
    const missingKids = new NegativeCache(options.refreshInterval);
    const current = new CurrentMetadata(options, clock, random, events, limits, scheduler, missingKids);
    this.#current = current;
    const reader = readerOf(options, new MetadataRetriever(options, clock, signal), clock);
    this.#store = options.store && new StoreClient(options.store, options, clock, events, signal);
    const fleet = this.#store && new FleetCoordination(options, this.#store, clock, current, signal);
    this.#refresher = new MetadataRefresher(
      options,
      clock,
      current,
      limits,
      scheduler,
      events,
      reader,
      fleet,
      signal,
    );
    this.#onDemand = new OnDemandRefresh(options, clock, current, limits, missingKids, this.#refresher);
    events.events$.subscribe({
      next: (event) => this.#observe(event),
      complete: () => this.#metadata$.complete(),
    });
  }

  /** Returns the current snapshot if it may serve; never loads. */
  snapshot(): IssuerMetadata | undefined {
    return this.#current.usable();
  }

  /** Returns when a request started: a refresh that starts later includes everything published before. */
  requestStart(): RequestStart {
    return this.#onDemand.requestStart();
  }

  /**
   * @param start of the request, for `refreshWait`
   * @param closed aborts when the caller is gone
   * @param onWait called when the request begins to wait
   */
  async current(start?: RequestStart, closed?: AbortSignal, onWait?: () => void): Promise<IssuerMetadata> {
    const usable = this.snapshot();
    if (usable) return usable;
    return this.#onDemand.request({ acceptsAny: true, start, closed, onWait }).catch((error: unknown) => {
      // The attempt it waited for failed or took too long; one that overlapped it may have brought a snapshot.
      const loaded = this.snapshot();
      if (!loaded) throw error;
      return loaded;
    });
  }

  requestRefresh(request: TimedRequest = {}): Promise<IssuerMetadata> {
    return this.#onDemand.request(request);
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
    return this.#events.events$;
  }

  status(): MetadataStatus {
    return describeStatus({
      options: this.#options,
      clock: this.#clock,
      state: this.#current.state,
      limits: this.#limits,
      nextRefreshAt: this.#scheduler.nextAutomaticAt,
      store: this.#store,
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

  /** Ends timers, exchanges and waits; the current snapshot still serves requests that are being finished. */
  close(): void {
    this.#closing.abort();
    this.#events.close();
  }

  #observe(event: MetadataEvent): void {
    if (event.type !== 'metadata-changed') return;
    this.#metadata$.next(event.metadata);
    // Not in the middle of the change: a request that continues finds everything in its place.
    soon(() => this.#onDemand.decideAll());
  }
}

function readerOf(
  options: ResolvedMetadataOptions,
  retriever: MetadataRetriever,
  clock: Clock,
): MetadataReader | UnitedReader {
  const { issuer, sources } = options;
  if (sources.length === 0) return new MetadataReader(options, retriever, clock);
  const readers = sources.map((source) => new MetadataReader({ ...options, ...source }, retriever, clock));
  return new UnitedReader(issuer, readers);
}
