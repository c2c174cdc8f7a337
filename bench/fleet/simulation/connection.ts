import type {
  FailureNotice,
  GrantedLease,
  LeaseRequest,
  LeasingMetadataStore,
  MetadataLease,
  SaveOptions,
  StoredMetadata,
  StoreListener,
  WatchableMetadataStore,
} from '../../../lib/metadata/store/metadata-store.js';
import type { SimulatedRedis } from './redis.js';

/** One replica's connection; cut, nothing comes or goes any more, as after a kill. */
export class SimulatedConnection implements LeasingMetadataStore, WatchableMetadataStore {
  #isCut = false;

  constructor(private readonly redis: SimulatedRedis) {}

  cut(): void {
    this.#isCut = true;
  }

  load(issuer: string): Promise<StoredMetadata | undefined> {
    return this.#isCut ? never() : this.redis.load(issuer);
  }

  save(metadata: StoredMetadata, options: SaveOptions): Promise<void> {
    return this.#isCut ? never() : this.redis.save(metadata, options);
  }

  acquireLease(issuer: string, request: LeaseRequest): Promise<MetadataLease> {
    return this.#isCut ? never() : this.redis.acquireLease(issuer, request);
  }

  releaseLease(issuer: string, lease: GrantedLease, failure?: FailureNotice): Promise<void> {
    return this.#isCut ? never() : this.redis.releaseLease(issuer, lease, failure);
  }

  watch(issuer: string, listener: StoreListener): () => void {
    return this.redis.watch(issuer, listener);
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
