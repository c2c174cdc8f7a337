import { MetadataStoreError } from '../errors/store.error.js';
import type { Clock } from './clock.js';
import type { MetadataNews } from './metadata-news.js';
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
const DEADLINE = 1000;

/** One issuer's side of a store: every call is bounded, none rejects, and what goes wrong is told once. */
export class StoreClient {
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #unwatch: (() => void) | undefined;
  /** The last trouble, until a call succeeds. */
  lastFailure: { readonly at: number; readonly error: Error } | undefined;

  /** @param pause milliseconds for which a store that failed is not asked: its deadline is not paid again and again */
  constructor(
    private readonly store: MetadataStore,
    private readonly issuer: string,
    private readonly clock: Clock,
    private readonly news: MetadataNews,
    private readonly pause: number,
  ) {}

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
    await this.#call('save', () => this.store.save(metadata, options));
  }

  /** `undefined` when the store is no help: then everybody asks for themselves. */
  async acquireLease(request: LeaseRequest): Promise<MetadataLease | undefined> {
    const { store } = this;
    if (this.#isPaused || !isLeasing(store)) return undefined;
    return this.#call('lease', () => store.acquireLease(this.issuer, request));
  }

  async releaseLease(lease: MetadataLease, failure?: FailureNotice): Promise<void> {
    const { store } = this;
    if (isLeasing(store)) await this.#call('lease', () => store.releaseLease(lease, failure));
  }

  watch(listener: Pick<StoreListener, 'received' | 'failed'>): void {
    if (this.#unwatch || !isWatchable(this.store)) return;
    const troubled = (error: Error): void => this.#troubled('watch', error);
    try {
      const listening = (): void => this.#recovered();
      this.#unwatch = this.store.watch(this.issuer, { ...listener, troubled, listening });
    } catch (error) {
      this.#troubled('watch', error);
    }
  }

  close(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  get #isPaused(): boolean {
    return this.clock.monotonic() < this.#pausedUntil;
  }

  async #call<Result>(operation: StoreOperation, call: () => Promise<Result>): Promise<Result | undefined> {
    let timer = 0;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new MetadataStoreError('timeout', `The store did not answer within ${DEADLINE} ms`);
      timer = this.clock.setTimeout(() => reject(error), DEADLINE);
    });
    try {
      const result = await Promise.race([call(), late]);
      this.#recovered();
      return result;
    } catch (error) {
      this.#troubled(operation, error);
      return undefined;
    } finally {
      this.clock.clearTimeout(timer);
    }
  }

  #troubled(operation: StoreOperation, cause: unknown): void {
    const error = cause instanceof Error ? cause : new MetadataStoreError('unavailable', String(cause));
    // The store does its work; what somebody put into it is not to be used.
    if (error instanceof MetadataStoreError && !isOutage(error)) return this.news.tellRefusal(error);
    if (!this.lastFailure) this.news.tell({ type: 'store-failed', operation, error });
    const now = this.clock.monotonic();
    this.lastFailure = { at: now, error };
    // A watch comes back by itself, and the calls may go another way.
    if (operation !== 'watch') this.#pausedUntil = now + this.pause;
  }

  #recovered(): void {
    if (!this.lastFailure) return;
    this.lastFailure = undefined;
    this.#pausedUntil = Number.NEGATIVE_INFINITY;
    this.news.tell({ type: 'store-recovered' });
  }
}

function isOutage({ fault }: MetadataStoreError): boolean {
  return fault === 'unavailable' || fault === 'timeout';
}
