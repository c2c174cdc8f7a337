import type { Clock } from '../../../lib/time/clock.js';
import { FIRST_KEY } from './issuer.js';
import type { SimulatedRollover } from './result.js';

/** Milliseconds after a rollover that count as part of it. */
const AFTERMATH = 30_000;

/** What happened to one key. */
interface KeyRecord {
  readonly publishedAt: number;
  /** How many replicas have it, and since when the last of them has. */
  learned: number;
  lastLearnedAt: number;
  firstAcceptedAt: number | undefined;
  refused: number;
  slowest: number;
}

/** What happens between two virtual times. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Keeps count of a simulated fleet. */
export class Tally {
  readonly #clock: Clock;
  readonly #refreshes: number[] = [];
  readonly #keys = new Map<string, KeyRecord>();
  readonly known = { sent: 0, refused: 0 };
  /** Requests with a key that was new at the time. */
  requests = 0;
  bootRefused = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  refreshed(): void {
    this.#refreshes.push(this.#clock.monotonic());
  }

  published(kid: string): void {
    const publishedAt = this.#clock.monotonic();
    this.#keys.set(kid, {
      publishedAt,
      learned: 0,
      lastLearnedAt: publishedAt,
      firstAcceptedAt: undefined,
      refused: 0,
      slowest: 0,
    });
  }

  learned(kid: string): void {
    const record = this.#keys.get(kid);
    if (!record) return;
    record.learned += 1;
    record.lastLearnedAt = this.#clock.monotonic();
  }

  answered(kid: string, sentAt: number, isAccepted: boolean): void {
    const record = this.#keys.get(kid);
    if (!record) return;
    const now = this.#clock.monotonic();
    if (!isAccepted) {
      record.refused += 1;
      return;
    }
    record.firstAcceptedAt ??= now;
    record.slowest = Math.max(record.slowest, now - sentAt);
  }

  /** The latest key that every replica has had time to learn. */
  get knownKey(): string {
    const [latest, previous] = [...this.#keys].toReversed();
    const isNew = latest && this.#clock.monotonic() < latest[1].publishedAt + AFTERMATH;
    return (isNew ? previous : latest)?.[0] ?? FIRST_KEY;
  }

  refreshesWithin({ from, to }: Span): number {
    return this.#refreshes.filter((at) => at >= from && at < to).length;
  }

  /**
   * @param kindOf what is special about a rollover at this time
   * @param replicasAt how many there are at this time
   * @param callsWithin HTTP requests the issuer saw
   */
  rollovers(
    kindOf: (at: number) => SimulatedRollover['kind'],
    replicasAt: (at: number) => number,
    callsWithin: (span: Span) => number,
  ): readonly SimulatedRollover[] {
    return [...this.#keys.values()].map((record) => {
      const { publishedAt: at, learned, lastLearnedAt, firstAcceptedAt, refused, slowest } = record;
      const span = { from: at, to: at + AFTERMATH };
      const isKnownToAll = learned >= replicasAt(at) && firstAcceptedAt !== undefined;
      return {
        at,
        kind: kindOf(at),
        refreshes: this.refreshesWithin(span),
        calls: callsWithin(span),
        spread: isKnownToAll ? Math.max(0, lastLearnedAt - firstAcceptedAt) : null,
        refused,
        slowest,
      };
    });
  }
}
