import { IssuerMetadata } from './issuer-metadata.js';
import type { Reading } from './metadata-reader.js';

const SHORTEST_PUBLISHED_INTERVAL = 60_000;
const JITTER = 0.1;

/** The difference a reading made. */
export interface MetadataChange {
  readonly metadata: IssuerMetadata;
  readonly addedKeyIds: readonly string[];
  readonly withdrawnKeyIds: readonly string[];
}

/** The snapshot at hand, and how far it can be trusted. All times are monotonic. */
export class HeldMetadata {
  #metadata: IssuerMetadata | undefined;
  #attempt = 0;
  /** What the snapshot dates from: older answers must not replace it. */
  generatedAt = Number.NEGATIVE_INFINITY;
  checkedAt = Number.NEGATIVE_INFINITY;
  freshUntil = Number.NEGATIVE_INFINITY;
  expiresAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly issuer: string) {}

  /** The snapshot, expired or not. */
  get metadata(): IssuerMetadata | undefined {
    return this.#metadata;
  }

  /** The snapshot, as long as it may serve. */
  usable(now: number): IssuerMetadata | undefined {
    return now < this.expiresAt ? this.#metadata : undefined;
  }

  /** Whether a later attempt has been accepted: then this one comes too late. */
  isAheadOf(attempt: number): boolean {
    return this.#attempt > attempt;
  }

  /** Takes over what a judged reading says; an equal one keeps the old object. */
  accept(reading: Reading, attempt: number): MetadataChange | undefined {
    this.#attempt = attempt;
    const before = this.#metadata;
    const metadata = new IssuerMetadata(this.issuer, reading.jwksUri, reading.keys);
    if (before?.equals(metadata)) return undefined;
    this.#metadata = metadata;
    return { metadata, addedKeyIds: missing(metadata, before), withdrawnKeyIds: missing(before, metadata) };
  }

  /**
   * Starts the clock anew after a complete check.
   *
   * @param interval the configured one; what the issuer publishes can only shorten it
   * @param random 0 to 1, for the jitter
   */
  renew(reading: Reading, checkedAt: number, interval: number, lifetime: number, random: number): void {
    const published = (reading.maxAge ?? Number.POSITIVE_INFINITY) - reading.age;
    const shortened = Math.min(interval, Math.max(SHORTEST_PUBLISHED_INTERVAL, published));
    this.generatedAt = Math.max(this.generatedAt, reading.generatedAt);
    this.checkedAt = checkedAt;
    this.freshUntil = checkedAt + shortened * (1 - JITTER + 2 * JITTER * random);
    this.expiresAt = this.freshUntil + lifetime;
  }
}

function missing(from: IssuerMetadata | undefined, other: IssuerMetadata | undefined): readonly string[] {
  const ids = from?.keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid])) ?? [];
  return ids.filter((kid) => !other || other.keysWithId(kid).length === 0);
}
