import type { Clock } from '../../../lib/time/clock.js';
import { FIRST_KEY } from './issuer.js';
import type { SimulatedRollover } from './result.js';

/** What is counted to a rollover: everything until this much later. */
const AFTERMATH = 30_000;

/** What became of one key. */
interface Fate {
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
  readonly #fates = new Map<string, Fate>();
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
    this.#fates.set(kid, {
      publishedAt,
      learned: 0,
      lastLearnedAt: publishedAt,
      firstAcceptedAt: undefined,
      refused: 0,
      slowest: 0,
    });
  }

  learned(kid: string): void {
    const fate = this.#fates.get(kid);
    if (!fate) return;
    fate.learned += 1;
    fate.lastLearnedAt = this.#clock.monotonic();
  }

  answered(kid: string, sentAt: number, isAccepted: boolean): void {
    const fate = this.#fates.get(kid);
    if (!fate) return;
    const now = this.#clock.monotonic();
    if (!isAccepted) {
      fate.refused += 1;
      return;
    }
    fate.firstAcceptedAt ??= now;
    fate.slowest = Math.max(fate.slowest, now - sentAt);
  }

  /** The latest key that all have had the time to know. */
  get knownKey(): string {
    const [latest, previous] = [...this.#fates].toReversed();
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
    return [...this.#fates.values()].map((fate) => {
      const { publishedAt: at, learned, lastLearnedAt, firstAcceptedAt, refused, slowest } = fate;
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
