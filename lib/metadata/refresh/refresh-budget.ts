/**
 * A token bucket for on-demand refreshes: one per interval on average, with `burst` in hand. Kept as one number, the
 * time at which the bucket is full again, so there is nothing to refill and nothing to round (GCRA).
 */
export class RefreshBudget {
  #fullAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly burst: number,
    readonly interval: number,
  ) {}

  /** How many refreshes are in hand. */
  available(now: number): number {
    return Math.floor((now - this.#debtAt(now)) / this.interval) + this.burst;
  }

  /** The earliest time at which one is in hand. */
  nextAt(now: number): number {
    return Math.max(now, this.#debtAt(now) - (this.burst - 1) * this.interval);
  }

  /** Takes one, unless that would leave fewer than `reserve` in hand. */
  spend(now: number, reserve = 0): boolean {
    const debtAt = this.#debtAt(now);
    if (debtAt > now + (this.burst - 1 - reserve) * this.interval) return false;
    this.#fullAt = debtAt + this.interval;
    return true;
  }

  #debtAt(now: number): number {
    return Math.max(now, this.#fullAt);
  }
}
