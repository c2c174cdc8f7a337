import { sides, type Side } from './recorder.js';
import type { Timeline } from '../timeline.js';

/** Writes into the time line what became of the first tokens after an action, on each side. */
export class OutcomeWatch {
  /** Last status of the signing key's tokens; undefined before the first one. */
  readonly #signing: Record<Side, number | undefined> = { library: 0, recipe: 0 };
  readonly #withdrawn: Record<Side, 'stopped' | 'passed' | undefined> = {
    library: 'stopped',
    recipe: 'stopped',
  };
  #isServingExpected = false;

  constructor(private readonly timeline: Timeline) {}

  /** To be called when the provider signs with another key. */
  expectNewKey(): void {
    for (const side of sides) this.#signing[side] = undefined;
  }

  /** To be called when keys were withdrawn. */
  expectWithdrawal(): void {
    for (const side of sides) this.#withdrawn[side] = undefined;
  }

  /** To be called when a refresh of the library failed. */
  expectServing(): void {
    this.#isServingExpected = true;
  }

  noteSigningKey(side: Side, status: number): void {
    const before = this.#signing[side];
    // Only changes after an action are worth a step.
    if (before === 0 || before === status) return;
    this.#signing[side] = status;
    if (status === 200) this.timeline.add(side, 'new key accepted', 'good');
    else
      this.timeline.add(side, `new key refused: ${status || 'no answer'}`, status === 503 ? 'warn' : 'bad');
  }

  noteKnownKey(side: Side, status: number): void {
    if (!this.#isServingExpected || side !== 'library' || status !== 200) return;
    this.#isServingExpected = false;
    this.timeline.addOnce(side, 'known keys keep serving', 'good');
  }

  noteWithdrawnKey(side: Side, outcome: 'stopped' | 'passed'): void {
    if (this.#withdrawn[side] === outcome) return;
    this.#withdrawn[side] = outcome;
    if (outcome === 'stopped') this.timeline.addOnce(side, 'withdrawn key refused', 'good');
    else this.timeline.addOnce(side, 'withdrawn key still accepted', 'bad');
  }
}
