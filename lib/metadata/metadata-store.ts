/** One issuer's metadata as a store keeps it. */
export interface StoredMetadata {
  readonly issuer: string;
  readonly jwksUri: string;
  /** The key set as published, public members only. */
  readonly keys: readonly Readonly<Record<string, unknown>>[];
  /** Wall-clock time of the check it comes from, milliseconds since the epoch. */
  readonly checkedAt: number;
}

/** Keeps the last good snapshot of each issuer outside the process. */
export interface MetadataStore {
  /** The snapshot of this issuer, or `undefined` when there is none. */
  load(issuer: string): Promise<StoredMetadata | undefined>;
  /** Replaces the snapshot of its issuer. */
  save(metadata: StoredMetadata): Promise<void>;
}
