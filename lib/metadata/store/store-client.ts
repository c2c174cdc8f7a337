import { asError } from '../../errors/as-error.js';
import { MetadataStoreError } from '../../errors/metadata.errors.js';
import type { Clock } from '../../time/clock.js';
import type { MetadataEventEmitter } from '../event-emitter.js';
import type { StoreOperation } from '../metadata-events.js';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import { parseLease, parseNotice } from './parse-lease.js';
import {
  isLeasing,
  isWatchable,
  type FailureNotice,
  type GrantedLease,
  type LeaseRequest,
  type MetadataLease,
  type MetadataStore,
  type SaveOptions,
  type StoredMetadata,
  type StoreListener,
} from './metadata-store.js';

/** Milliseconds: a store is in the same data centre, or no help. */
const LONGEST_DEADLINE = 1000;
const SHORTEST_DEADLINE = 100;

interface StoreFailure {
  readonly at: number;
  readonly error: Error;
}

/** Guards the store of one issuer: every call is bounded, none rejects, and a fault is emitted once. */
export class StoreClient {
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #unwatch: unknown;
  #isWatching = false;
  /** The last failure of a call, until one succeeds. */
  #callFailure: StoreFailure | undefined;
  /** The last failure of the watch, until it works again. */
  #watchFailure: StoreFailure | undefined;
  readonly #deadline: number;

  constructor(
    private readonly store: MetadataStore,
    private readonly options: ResolvedMetadataOptions,
    private readonly clock: Clock,
    private readonly events: MetadataEventEmitter,
    private readonly closing: AbortSignal,
  ) {
    // Most of the time that a request waits belongs to the issuer.
    const share = options.refreshWait / 4;
    this.#deadline = Math.min(LONGEST_DEADLINE, Math.max(SHORTEST_DEADLINE, share));
    closing.addEventListener('abort', () => this.#watched(this.#unwatch));
  }

  /** The last failure; `undefined` when everything works. */
  get lastFailure(): StoreFailure | undefined {
    return this.#callFailure ?? this.#watchFailure;
  }

  get canLease(): boolean {
    return isLeasing(this.store);
  }

  get canWatch(): boolean {
    return isWatchable(this.store);
  }

  /** Returns `undefined` when there is no snapshot that can be used. */
  async load(): Promise<StoredMetadata | undefined> {
    if (this.#isPaused) return undefined;
    return this.#call('load', () => this.store.load(this.options.issuer));
  }

  async save(metadata: StoredMetadata, options: SaveOptions): Promise<void> {
    await this.#call('save', () => this.store.save(metadata, options));
  }

  /** Returns `undefined` when the store is no help: then each replica fetches for itself. */
  async acquireLease(request: LeaseRequest): Promise<MetadataLease | undefined> {
    const { store } = this;
    if (this.#isPaused || !isLeasing(store)) return undefined;
    return this.#call('lease', async (isLate) => {
      const lease = parseLease({ ...(await store.acquireLease(this.options.issuer, request)) });
      // This replica no longer waits for the lease, so it must not keep the others waiting.
      if (isLate() && lease.isGranted) await store.releaseLease(this.options.issuer, lease);
      return lease;
    });
  }

  async releaseLease(lease: GrantedLease, failure?: FailureNotice): Promise<void> {
    const { store } = this;
    if (isLeasing(store))
      await this.#call('lease', () => store.releaseLease(this.options.issuer, lease, failure));
  }

  watch({ received, failed }: Pick<StoreListener, 'received' | 'failed'>): void {
    const { store } = this;
    if (this.#isWatching || !isWatchable(store)) return;
    this.#isWatching = true;
    const troubled = (error: unknown): void => this.#troubled('watch', error);
    const guarded =
      <Args extends readonly unknown[]>(handle: (...args: Args) => void) =>
      (...args: Args): void => {
        try {
          handle(...args);
        } catch (error) {
          troubled(error);
        }
      };
    const listener: StoreListener = {
      received: guarded(received),
      failed: guarded((notice) => failed(parseNotice({ ...notice }))),
      listening: () => {
        this.#watchFailure = this.#recovered(this.#watchFailure, this.#callFailure);
      },
      troubled,
    };
    // A store may return a promise, against the letter of the port.
    Promise.resolve()
      .then(() => store.watch(this.options.issuer, listener))
      .then((unwatch: unknown) => this.#watched(unwatch))
      .catch((error: unknown) => {
        this.#isWatching = false;
        troubled(error);
      });
  }

  /** Keeps the function that ends the watch, or calls it. */
  #watched(unwatch: unknown): void {
    this.#unwatch = unwatch;
    if (!this.closing.aborted || typeof unwatch !== 'function') return;
    this.#unwatch = undefined;
    try {
      unwatch();
    } catch {
      // The events are complete, and the rest has to be closed.
    }
  }

  get #isPaused(): boolean {
    return this.clock.monotonic() < this.#pausedUntil;
  }

  /** Bounded by the deadline, and by the end of the module; a lease may still be released after it. */
  async #call<Result>(
    operation: StoreOperation,
    call: (isLate: () => boolean) => Promise<Result>,
  ): Promise<Result | undefined> {
    let isOver = false;
    const late = new AbortController();
    const giveUp = (): void => late.abort();
    const error = new MetadataStoreError('timeout', `The store did not answer within ${this.#deadline} ms`);
    const deadline = new Promise<never>((_resolve, reject) => {
      late.signal.addEventListener('abort', () => reject(error));
    });
    deadline.catch(() => undefined);
    const timer = this.closing.aborted ? undefined : this.clock.setTimeout(giveUp, this.#deadline);
    this.closing.addEventListener('abort', giveUp);
    try {
      const result = await Promise.race([call(() => isOver), deadline]);
      if (this.#callFailure) this.#pausedUntil = Number.NEGATIVE_INFINITY;
      this.#callFailure = this.#recovered(this.#callFailure, this.#watchFailure);
      return result;
    } catch (error) {
      this.#troubled(operation, error);
      return undefined;
    } finally {
      isOver = true;
      if (timer !== undefined) this.clock.clearTimeout(timer);
      this.closing.removeEventListener('abort', giveUp);
    }
  }

  #troubled(operation: StoreOperation, cause: unknown): void {
    const error = asError(cause);
    // The store works; what it holds cannot be used.
    if (error instanceof MetadataStoreError && !isOutage(error)) return this.events.emitRefusal(error);
    if (!this.lastFailure) this.events.emit({ type: 'store-failed', operation, error });
    const failure = { at: this.clock.monotonic(), error };
    if (operation === 'watch') {
      // A watch comes back by itself, and calls may use another connection.
      this.#watchFailure = failure;
      return;
    }
    this.#callFailure = failure;
    // A store that failed is not called for a while: its deadline is not paid again and again.
    this.#pausedUntil = failure.at + this.options.refreshInterval;
  }

  /** Emits the recovery when the other part works, too. */
  #recovered(failure: StoreFailure | undefined, other: StoreFailure | undefined): undefined {
    if (failure && !other) this.events.emit({ type: 'store-recovered' });
  }
}

function isOutage({ fault }: MetadataStoreError): boolean {
  return fault === 'unavailable' || fault === 'timeout';
}
