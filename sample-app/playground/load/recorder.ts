import { rateLimit } from '../../recipe/jwt.guard.js';
import type { Answer } from '../../traffic/ask.js';

/** The two APIs that receive the same requests. */
export const sides = ['library', 'recipe'] as const;
export type Side = (typeof sides)[number];

/** What became of the requests that were sent within one interval. */
export interface Bucket {
  /** Valid requests answered 200. */
  accepted: number;
  /** Valid requests answered with anything else but 503. */
  refused: number;
  /** Those of the refused that the recipe's own rate limit of key set requests has refused. */
  rateLimited: number;
  /** Valid requests answered 503: the API could not check, the client may try again. */
  unavailable: number;
  /** Valid requests without an answer yet. */
  waiting: number;
  /** Forged or withdrawn tokens answered with anything but 200. */
  stopped: number;
  /** Forged or withdrawn tokens answered 200. */
  passed: number;
}

/** The same over all requests since the start or the last reset. */
export interface Totals extends Bucket {
  /** Milliseconds until the slowest answer to an accepted request. */
  slowest: number;
}

/** How one answer counts. `ignored`: either answer is right, as just after a withdrawal. */
export type Verdict = 'valid' | 'bad' | 'ignored';

/** Milliseconds that one bucket covers. */
export const bucketLength = 500;
/** Buckets kept: one minute. */
export const bucketCount = 120;

/** Counts the answers of one API, by the moment at which the request was sent. */
export class Recorder {
  readonly buckets: Bucket[] = Array.from({ length: bucketCount }, emptyBucket);
  totals: Totals = emptyTotals();

  /** Begins the next interval. */
  advance(): void {
    this.buckets.push(emptyBucket());
    this.buckets.shift();
  }

  reset(): void {
    this.totals = { ...emptyTotals(), waiting: this.totals.waiting };
  }

  /**
   * Counts a request with a valid token as waiting.
   *
   * @returns a function that counts its answer
   */
  sendValid(): (answer: Answer, verdict: Verdict) => void {
    const { bucket, totals } = this.#current();
    bucket.waiting += 1;
    this.totals.waiting += 1;
    return (answer, verdict) => {
      bucket.waiting -= 1;
      this.totals.waiting -= 1;
      // Requests sent before a reset do not count after it.
      if (verdict === 'valid') countValid(answer, [bucket, totals], totals);
    };
  }

  /** @returns a function that counts the answer to a forged or withdrawn token */
  sendBad(): (answer: Answer, verdict: Verdict) => void {
    const { bucket, totals } = this.#current();
    return ({ status }, verdict) => {
      if (verdict !== 'bad') return;
      const outcome = status === 200 ? 'passed' : 'stopped';
      bucket[outcome] += 1;
      totals[outcome] += 1;
    };
  }

  #current(): { bucket: Bucket; totals: Totals } {
    const bucket = this.buckets.at(-1) ?? emptyBucket();
    return { bucket, totals: this.totals };
  }
}

const outcomes: ReadonlyMap<number, 'accepted' | 'unavailable'> = new Map([
  [200, 'accepted'],
  [503, 'unavailable'],
]);

function countValid(
  { status, milliseconds, refusedBy }: Answer,
  counts: readonly Bucket[],
  totals: Totals,
): void {
  const outcome = outcomes.get(status) ?? 'refused';
  for (const count of counts) {
    count[outcome] += 1;
    if (refusedBy === rateLimit) count.rateLimited += 1;
  }
  if (status === 200) totals.slowest = Math.max(totals.slowest, milliseconds);
}

function emptyBucket(): Bucket {
  return { accepted: 0, refused: 0, rateLimited: 0, unavailable: 0, waiting: 0, stopped: 0, passed: 0 };
}

function emptyTotals(): Totals {
  return { ...emptyBucket(), slowest: 0 };
}
