import { asError } from '../../errors/as-error.js';
import { MetadataStoreError } from '../../errors/store.error.js';
import type { Clock } from '../../time/clock.js';
import { judgeLease, judgeNotice } from './parse-lease.js';
import type { MetadataNews } from '../event-emitter.js';
import { Signal } from '../refresh/signal.js';
import {
  isLeasing,
  isWatchable,
  type FailureNotice,
  type LeaseRequest,
  type MetadataLease,
  type MetadataStore,
  type SaveOptions,
  type StoredMetadata,
  type StoreListener,
} from './metadata-store.js';

/** What was asked of a store. */
export type StoreOperation = 'load' | 'save' | 'lease' | 'watch';

/** Milliseconds: a store is in the same data centre, or of no help. */
const LONGEST_DEADLINE = 1000;
const SHORTEST_DEADLINE = 100;

interface StoreFailure {
  readonly at: number;
  readonly error: Error;
}

/** One issuer's side of a store: every call is bounded, none rejects, and what goes wrong is told once. */
export class StoreClient {
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #unwatch: unknown;
  #isWatching = false;
  #isClosed = false;
  readonly #closing = new Signal();
  /** What was judged, and what the store knows it by. */
  readonly #given = new WeakMap<MetadataLease, MetadataLease>();
  /** The last trouble of the calls, and of the watch, until each works again. */
  readonly #failures = new Map<'calls' | 'watch', StoreFailure>();
  readonly #deadline: number;

  /**
   * @param pause milliseconds for which a store that failed is not asked: its deadline is not paid again and again
   * @param wait milliseconds a request waits at most: most of it belongs to the issuer
   */
  constructor(
    private readonly store: MetadataStore,
    private readonly issuer: string,
    private readonly clock: Clock,
    private readonly news: MetadataNews,
    private readonly pause: number,
    wait: number,
  ) {
    this.#deadline = Math.min(LONGEST_DEADLINE, Math.max(SHORTEST_DEADLINE, wait / 4));
  }

  /** The last trouble; `undefined` when everything works. */
  get lastFailure(): StoreFailure | undefined {
    return this.#failures.get('calls') ?? this.#failures.get('watch');
  }

  get canLease(): boolean {
    return isLeasing(this.store);
  }

  get canWatch(): boolean {
    return isWatchable(this.store);
  }

  /** `undefined` when there is none that can be used. */
  async load(): Promise<StoredMetadata | undefined> {
    if (this.#isPaused) return undefined;
    return this.#call('load', () => this.store.load(this.issuer));
  }

  async save(metadata: StoredMetadata, options: SaveOptions): Promise<void> {
    const { expiresIn, lease } = options;
    const given = lease && (this.#given.get(lease) ?? lease);
    await this.#call('save', () => this.store.save(metadata, { expiresIn, lease: given }));
  }

  /** `undefined` when the store is no help: then everybody asks for themselves. */
  async acquireLease(request: LeaseRequest): Promise<MetadataLease | undefined> {
    const { store } = this;
    if (this.#isPaused || !isLeasing(store)) return undefined;
    return this.#call('lease', async (isLate) => {
      const given = await store.acquireLease(this.issuer, request);
      const lease = judgeLease(this.issuer, { ...given });
      this.#given.set(lease, given);
      // Nobody waits for it here any more, and the fleet should not have to.
      if (isLate() && lease.isMine) await store.releaseLease(given);
      return lease;
    });
  }

  async releaseLease(lease: MetadataLease, failure?: FailureNotice): Promise<void> {
    const { store } = this;
    if (isLeasing(store))
      await this.#call('lease', () => store.releaseLease(this.#given.get(lease) ?? lease, failure));
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
      failed: guarded((notice) => failed(judgeNotice({ ...notice }))),
      listening: () => this.#recovered('watch'),
      troubled,
    };
    // A store may take its time over it, against the letter of the port.
    Promise.resolve()
      .then(() => store.watch(this.issuer, listener))
      .then((unwatch: unknown) => this.#watched(unwatch))
      .catch((error: unknown) => {
        this.#isWatching = false;
        troubled(error);
      });
  }

  /** Waits for nothing that is under way. A lease may still be given back. */
  close(): void {
    this.#isClosed = true;
    this.#watched(this.#unwatch);
    this.#closing.notify();
  }

  /** Remembers how the watch ends, or ends it. */
  #watched(unwatch: unknown): void {
    this.#unwatch = unwatch;
    if (!this.#isClosed || typeof unwatch !== 'function') return;
    this.#unwatch = undefined;
    try {
      unwatch();
    } catch {
      // Nobody is left to tell, and the rest has to be closed.
    }
  }

  get #isPaused(): boolean {
    return this.clock.monotonic() < this.#pausedUntil;
  }

  async #call<Result>(
    operation: StoreOperation,
    call: (isLate: () => boolean) => Promise<Result>,
  ): Promise<Result | undefined> {
    let timer = 0;
    let isOver = false;
    let leave: (() => void) | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new MetadataStoreError('timeout', `The store did not answer within ${this.#deadline} ms`);
      // After the end, nobody waits for a lease to be given back.
      if (!this.#isClosed) timer = this.clock.setTimeout(() => reject(error), this.#deadline);
      leave = this.#closing.onNext(() => reject(error));
    });
    late.catch(() => undefined);
    try {
      const result = await Promise.race([call(() => isOver), late]);
      this.#recovered('calls');
      return result;
    } catch (error) {
      this.#troubled(operation, error);
      return undefined;
    } finally {
      isOver = true;
      this.clock.clearTimeout(timer);
      leave?.();
    }
  }

  #troubled(operation: StoreOperation, cause: unknown): void {
    const error = asError(cause);
    // The store does its work; what somebody put into it is not to be used.
    if (error instanceof MetadataStoreError && !isOutage(error)) return this.news.tellRefusal(error);
    if (!this.lastFailure) this.news.tell({ type: 'store-failed', operation, error });
    const now = this.clock.monotonic();
    this.#failures.set(operation === 'watch' ? 'watch' : 'calls', { at: now, error });
    // A watch comes back by itself, and the calls may go another way.
    if (operation !== 'watch') this.#pausedUntil = now + this.pause;
  }

  #recovered(part: 'calls' | 'watch'): void {
    if (!this.#failures.delete(part)) return;
    if (part === 'calls') this.#pausedUntil = Number.NEGATIVE_INFINITY;
    if (!this.lastFailure) this.news.tell({ type: 'store-recovered' });
  }
}

function isOutage({ fault }: MetadataStoreError): boolean {
  return fault === 'unavailable' || fault === 'timeout';
}
