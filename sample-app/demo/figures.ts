import type { Answer } from '../traffic/ask.js';

/** What happened in one phase. A request counts for the phase in which it was sent. */
export class Figures {
  /** Valid requests. */
  requests = 0;
  /** Valid ones answered with anything but 200. */
  refused = 0;
  forged = 0;
  /** Forged ones that were served. */
  accepted = 0;
  /** Milliseconds until the slowest answer to a valid request. */
  slowest = 0;
  /** Discovery and key set requests that reached the provider. */
  calls = 0;

  constructor(readonly name: string) {}

  static total(phases: readonly Figures[]): Figures {
    const total = new Figures('total');
    for (const phase of phases) {
      total.requests += phase.requests;
      total.refused += phase.refused;
      total.forged += phase.forged;
      total.accepted += phase.accepted;
      total.slowest = Math.max(total.slowest, phase.slowest);
      total.calls += phase.calls;
    }
    return total;
  }

  /** Every valid request was served and no forged one; and there were some of both. */
  get isFlawless(): boolean {
    return this.requests > 0 && this.forged > 0 && this.refused === 0 && this.accepted === 0;
  }

  countValid({ status, milliseconds }: Answer): void {
    this.requests += 1;
    this.refused += status === 200 ? 0 : 1;
    this.slowest = Math.max(this.slowest, milliseconds);
  }

  countForged({ status }: Answer): void {
    this.forged += 1;
    this.accepted += status === 200 ? 1 : 0;
  }
}
