/** One issuer's metadata as a store keeps it. */
export interface StoredMetadata {
  readonly issuer: string;
  readonly jwksUri: string;
  /** The key set as published, public members only. */
  readonly keys: readonly Readonly<Record<string, unknown>>[];
  /** Wall-clock time at which the check it comes from was started, milliseconds since the epoch. */
  readonly checkedAt: number;
  /** Milliseconds since then, set on load by a store with its own clock: then the clocks of replicas do not matter. */
  readonly age?: number | undefined;
  /** Orders the checks of a fleet, see {@link GrantedLease}; absent for stores without leases. */
  readonly fence?: number | undefined;
  /** The documents were read twice: a key that is missing from the key set is proven absent. */
  readonly isDoubleChecked?: boolean | undefined;
}

/** How a snapshot is saved. */
export interface SaveOptions {
  /** Milliseconds from now after which the snapshot is too old to serve. */
  readonly expiresIn: number;
  /** The lease it was read under; the store ends it. */
  readonly lease?: GrantedLease | undefined;
}

/**
 * Keeps the last good snapshot of each issuer outside the process. A promise that rejects, hangs or resolves to malformed
 * data is reported as an event; requests with known keys never wait for it, requests with a new key at most the deadline
 * of one call, one second. Snapshots are validated like an answer of the issuer.
 */
export interface MetadataStore {
  /** The snapshot of this issuer, or `undefined` when there is none. */
  load(issuer: string): Promise<StoredMetadata | undefined>;
  /** Replaces the snapshot of its issuer. */
  save(metadata: StoredMetadata, options: SaveOptions): Promise<void>;
}

/** What a replica sends when it wants to fetch from the issuer. */
export interface LeaseRequest {
  /** Milliseconds after which the lease ends by itself. */
  readonly duration: number;
  /** The highest fence this replica has seen: a store that has lost its data continues from there. */
  readonly seen: number;
  /**
   * On-demand refreshes use a bucket of the whole fleet: `burst` available, one more per `interval` milliseconds. The
   * lease is refused when it would leave fewer than `reserve` available.
   */
  readonly budget?:
    { readonly burst: number; readonly interval: number; readonly reserve?: number | undefined } | undefined;
}

/** Permission to fetch from the issuer for the whole fleet. */
export interface GrantedLease {
  readonly isGranted: true;
  /** The place of this check in the order of the fleet's checks. */
  readonly fence: number;
  /** Opaque to the library: passed back unchanged with `save` and `releaseLease`. */
  readonly handle: string;
}

/** Another replica fetches, or the fleet's budget is spent. */
export interface RefusedLease {
  readonly isGranted: false;
  /** `held`: another replica has the lease. `budget-spent`: no replica has it. */
  readonly reason: 'held' | 'budget-spent';
  /** The highest fence granted so far: a check with a higher one started after this request. */
  readonly fence: number;
  /** Milliseconds after which another request may succeed. */
  readonly retryAfter: number;
}

/** The answer to a {@link LeaseRequest}. */
export type MetadataLease = GrantedLease | RefusedLease;

/** A replica could not read the issuer's metadata. */
export interface FailureNotice {
  /** Of its lease. */
  readonly fence: number;
  /** Milliseconds of the issuer's `Retry-After`; 0 without. */
  readonly retryAfter: number;
}

/** A store whose fleet fetches from the issuer one replica at a time. */
export interface LeasingMetadataStore extends MetadataStore {
  /** Grants the lease of an issuer, unless another replica has it or the fleet's budget is spent. */
  acquireLease(issuer: string, request: LeaseRequest): Promise<MetadataLease>;
  /** Ends a lease without a snapshot; `failure` is passed on to the fleet, so that all replicas back off. */
  releaseLease(issuer: string, lease: GrantedLease, failure?: FailureNotice): Promise<void>;
}

/** Receives what a watched store reports. */
export interface StoreListener {
  /** Another replica has checked; its snapshot may hold changes. */
  received(metadata: StoredMetadata): void;
  /** Another replica could not check. */
  failed(notice: FailureNotice): void;
  /** The watch works, for the first time or again. */
  listening(): void;
  /** A message cannot be used, or the connection is lost. */
  troubled(error: Error): void;
}

/** A store that reports the checks of other replicas as they happen. */
export interface WatchableMetadataStore extends MetadataStore {
  /** @returns a function that stops watching */
  watch(issuer: string, listener: StoreListener): () => void;
}

export function isLeasing(store: MetadataStore): store is LeasingMetadataStore {
  return isMethod(store, 'acquireLease') && isMethod(store, 'releaseLease');
}

export function isWatchable(store: MetadataStore): store is WatchableMetadataStore {
  return isMethod(store, 'watch');
}

function isMethod(store: object, name: string): boolean {
  return typeof Reflect.get(store, name) === 'function';
}
