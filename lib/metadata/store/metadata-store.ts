/** One issuer's metadata as a store keeps it. */
export interface StoredMetadata {
  readonly issuer: string;
  readonly jwksUri: string;
  /** The key set as published, public members only. */
  readonly keys: readonly Readonly<Record<string, unknown>>[];
  /** Wall-clock time at which the check it comes from was started, milliseconds since the epoch. */
  readonly checkedAt: number;
  /** Milliseconds since then, filled in on load by a store with a clock of its own: then no replica's clock matters. */
  readonly age?: number | undefined;
  /** Orders the checks of a fleet, see {@link MetadataLease}; absent where nobody leases. */
  readonly fence?: number | undefined;
  /** The issuer was asked twice: what is missing from the key set may be called absent. */
  readonly isConfirmed?: boolean | undefined;
}

/** What goes with a snapshot that is saved. */
export interface SaveOptions {
  /** Milliseconds from now after which nobody will want it any more. */
  readonly expiresIn: number;
  /** The lease it was read under: given back with it. */
  readonly lease?: MetadataLease | undefined;
}

/**
 * Keeps the last good snapshot of each issuer outside the process. A promise that rejects, hangs or brings rubbish is
 * told as an event; known keys never wait for it, and a new one no longer than the deadline of a call, a second at most.
 * Snapshots are judged like an answer of the issuer.
 */
export interface MetadataStore {
  /** The snapshot of this issuer, or `undefined` when there is none. */
  load(issuer: string): Promise<StoredMetadata | undefined>;
  /** Replaces the snapshot of its issuer. */
  save(metadata: StoredMetadata, options: SaveOptions): Promise<void>;
}

/** What a replica says when it wants to ask the issuer. */
export interface LeaseRequest {
  /** Milliseconds after which the lease is void. */
  readonly duration: number;
  /** The highest fence it has seen: a store that has lost its memory must go on from there. */
  readonly seen: number;
  /** On-demand refreshes come out of a bucket of the whole fleet: `burst` in hand, one more per `interval` milliseconds. */
  readonly budget?: { readonly burst: number; readonly interval: number } | undefined;
}

/** Whose turn it is to ask the issuer. */
export interface MetadataLease {
  readonly issuer: string;
  readonly isMine: boolean;
  /**
   * Mine: my place in the order of the fleet's checks. Not mine: the highest place given so far, so that whatever bears
   * a higher one was started after the question.
   */
  readonly fence: number;
  /** Not mine: milliseconds after which asking again may help. */
  readonly retryAfter: number;
  /** Not mine, because the fleet's budget is spent: nobody has it. */
  readonly isSpent?: boolean;
  /** The store's own; proves whose it is. */
  readonly token: string;
}

/** A replica asked the issuer in vain. */
export interface FailureNotice {
  /** Of the lease it had. */
  readonly fence: number;
  /** Milliseconds for which the issuer asked to be left alone. */
  readonly retryAfter: number;
}

/** A store in whose fleet one replica asks the issuer for all. */
export interface LeasingMetadataStore extends MetadataStore {
  /** Takes the lease of an issuer, unless another replica has it or the fleet's budget is spent. */
  acquireLease(issuer: string, request: LeaseRequest): Promise<MetadataLease>;
  /** Gives it back with nothing to show; `failure` is passed on to the fleet, so that all of it backs off. */
  releaseLease(lease: MetadataLease, failure?: FailureNotice): Promise<void>;
}

/** What a watched store brings. */
export interface StoreListener {
  /** Another replica has checked, and perhaps found something new. */
  received(metadata: StoredMetadata): void;
  /** Another replica could not check. */
  failed(notice: FailureNotice): void;
  /** The watch works, for the first time or again. */
  listening(): void;
  /** Something came that is not to be used, or the connection is gone. */
  troubled(error: Error): void;
}

/** A store that tells of other replicas' findings as they come. */
export interface WatchableMetadataStore extends MetadataStore {
  /** @returns ends it */
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
