import { IssuerMetadata } from '../../keys/issuer-metadata.js';
import type { JudgedStored } from '../store/parse-stored.js';
import type { Reading } from '../fetch/metadata-reader.js';
import type { RefreshAttempt } from './refresh-attempt.js';

const SHORTEST_PUBLISHED_INTERVAL = 60_000;
const JITTER = 0.1;
/** Wall clocks are read, and stored, on both sides: a snapshot must not look newer than itself. */
const CLOCK_RESOLUTION = 1000;

/** What was found, wherever it was read. */
type Finding = Pick<Reading, 'jwksUri' | 'keys' | 'isConfirmed'>;

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
  /** Whether the last check was this replica's own, in no order with those of its fleet. */
  #isAlone = true;
  /** What the snapshot dates from: older answers must not replace it. */
  generatedAt = Number.NEGATIVE_INFINITY;
  checkedAt = Number.NEGATIVE_INFINITY;
  freshUntil = Number.NEGATIVE_INFINITY;
  expiresAt = Number.NEGATIVE_INFINITY;
  /** The place of the last check in the order of the fleet's. */
  fence = 0;
  #isConfirmed = false;
  source: 'issuer' | 'store' = 'issuer';

  constructor(private readonly issuer: string) {}

  /** The snapshot, expired or not. */
  get metadata(): IssuerMetadata | undefined {
    return this.#metadata;
  }

  /** The snapshot, as long as it may serve. */
  usable(now: number): IssuerMetadata | undefined {
    return now < this.expiresAt ? this.#metadata : undefined;
  }

  /** Whether a later check has been accepted: then this one comes too late. */
  isAheadOf({ number, startedAt }: RefreshAttempt, fence: number | undefined): boolean {
    if (this.#attempt > number) return true;
    return this.source === 'store' && (fence === undefined ? this.checkedAt > startedAt : this.fence > fence);
  }

  /**
   * Whether a snapshot out of a store is newer. The fleet's order decides, unless its age contradicts; a check outside
   * of that order is compared by how long ago each was started.
   */
  isBehind(fence: number | undefined, startedAt: number): boolean {
    if (fence === undefined || this.#isAlone) return startedAt > this.checkedAt + CLOCK_RESOLUTION;
    return fence > this.fence && startedAt > this.checkedAt - CLOCK_RESOLUTION;
  }

  /** Takes over what a judged reading says; an equal one keeps the old object. */
  accept(reading: Finding, attempt: number, fence: number | undefined): MetadataChange | undefined {
    this.#attempt = attempt;
    this.source = 'issuer';
    return this.#replace(reading, fence);
  }

  /**
   * The same for a judged snapshot out of a store. A key that this replica knows and one reading of another has missed
   * stays: that may have been one stale node's answer.
   */
  adopt(judged: JudgedStored): { change: MetadataChange | undefined; isComplete: boolean } {
    const { isConfirmed, fence } = judged;
    const known = this.#metadata?.keys ?? [];
    const missed = isConfirmed ? [] : known.filter((key) => !judged.keys.includes(key));
    this.source = 'store';
    const keys = [...judged.keys, ...missed];
    const change = this.#replace({ jwksUri: judged.jwksUri, keys, isConfirmed }, fence);
    return { change, isComplete: missed.length === 0 };
  }

  /** Whether a confirmed check above this fence is what it holds: then what it lacks is not there. */
  isConclusive(since: number): boolean {
    return this.#isConfirmed && this.fence > since;
  }

  #replace(reading: Finding, fence: number | undefined): MetadataChange | undefined {
    this.#isAlone = fence === undefined;
    this.fence = fence ?? this.fence;
    this.#isConfirmed = reading.isConfirmed === true;
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
  renew(
    reading: Pick<Reading, 'maxAge' | 'age' | 'generatedAt'>,
    checkedAt: number,
    interval: number,
    lifetime: number,
    random: number,
  ): void {
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
