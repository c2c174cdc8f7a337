import type {
  Clock,
  FailureNotice,
  LeaseRequest,
  GrantedLease,
  LeasingMetadataStore,
  MetadataLease,
  MetadataStore,
  SaveOptions,
  StoredMetadata,
  StoreListener,
  WatchableMetadataStore,
} from 'nestjs-resilient-auth';

/** `throws`: before there is a promise. */
export type StoreTrouble = 'none' | 'rejects' | 'throws' | 'hangs';

/** The least a store can do, on a plain map, with troubles to order. */
export class MemoryStore implements MetadataStore {
  readonly snapshots = new Map<string, StoredMetadata>();
  trouble: StoreTrouble = 'none';
  calls = 0;

  load(issuer: string): Promise<StoredMetadata | undefined> {
    return this.answer(() => this.snapshots.get(issuer));
  }

  save(metadata: StoredMetadata, _options: SaveOptions): Promise<void> {
    return this.answer(() => void this.snapshots.set(metadata.issuer, metadata));
  }

  protected answer<Result>(result: () => Result): Promise<Result> {
    this.calls++;
    if (this.trouble === 'throws') throw new Error('The store is broken');
    if (this.trouble === 'hangs') return new Promise(() => undefined);
    return this.trouble === 'rejects'
      ? Promise.reject(new Error('The store is gone'))
      : Promise.resolve(result());
  }
}

interface Granted {
  readonly token: string;
  readonly until: number;
}

/** One store for a fleet on one clock: with lease, fleet budget and messages, as Redis has them. */
export class FleetStore extends MemoryStore implements LeasingMetadataStore, WatchableMetadataStore {
  readonly listeners = new Set<StoreListener>();
  isSilent = false;
  fence = 100;
  granted: Granted | undefined;
  #fullAt = 0;
  readonly #checkedAt = new Map<string, number>();

  constructor(private readonly clock: Clock) {
    super();
  }

  override load(issuer: string): Promise<StoredMetadata | undefined> {
    return this.answer(() => {
      const stored = this.snapshots.get(issuer);
      return stored && this.#withAge(stored);
    });
  }

  override save(metadata: StoredMetadata, { lease }: SaveOptions): Promise<void> {
    return this.answer(() => {
      if (!lease || lease.fence < this.fence) return;
      const stored = { ...metadata, checkedAt: this.#checkedAt.get(lease.handle) ?? 0 };
      this.snapshots.set(metadata.issuer, stored);
      this.#free(lease);
      this.publish(stored);
    });
  }

  acquireLease(_issuer: string, { duration, seen, budget }: LeaseRequest): Promise<MetadataLease> {
    return this.answer(() => {
      const now = this.clock.monotonic();
      this.fence = Math.max(this.fence, seen);
      const refuse = (reason: 'held' | 'budget-spent', retryAfter: number): MetadataLease => {
        return { isGranted: false, reason, fence: this.fence, retryAfter };
      };
      if (this.granted && this.granted.until > now) return refuse('held', this.granted.until - now);
      if (budget) {
        const fullAt = Math.max(now, this.#fullAt);
        const permittedAt = fullAt - (budget.burst - 1 - (budget.reserve ?? 0)) * budget.interval;
        if (permittedAt > now) return refuse('budget-spent', permittedAt - now);
        this.#fullAt = fullAt + budget.interval;
      }
      const token = String(++this.fence);
      this.granted = { token, until: now + duration };
      this.#checkedAt.set(token, now);
      return { isGranted: true, fence: this.fence, handle: token };
    });
  }

  releaseLease(_issuer: string, lease: GrantedLease, failure?: FailureNotice): Promise<void> {
    return this.answer(() => {
      this.#free(lease);
      if (failure && !this.isSilent) for (const listener of this.listeners) listener.failed(failure);
    });
  }

  watch(_issuer: string, listener: StoreListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Says to all replicas what one of them found. */
  publish(stored: StoredMetadata): void {
    if (this.isSilent) return;
    for (const listener of this.listeners) listener.received(this.#withAge(stored));
  }

  #free({ handle }: GrantedLease): void {
    if (this.granted?.token === handle) this.granted = undefined;
  }

  #withAge(stored: StoredMetadata): StoredMetadata {
    return { ...stored, age: this.clock.monotonic() - stored.checkedAt };
  }
}
