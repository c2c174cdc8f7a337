import type { Answer } from '../../traffic/ask.js';
import type { Timeline, Tone } from '../timeline.js';
import { sides, type Side } from './recorder.js';

/** No action has changed the signing key yet. */
const untouched = 'untouched';
const tones: ReadonlyMap<number, Tone> = new Map([
  [200, 'good'],
  [503, 'warn'],
]);

/** Writes into the time line what became of the first tokens after an action, on each side. */
export class OutcomeWatch {
  /** What became of the signing key's last token; undefined before the first one after an action. */
  readonly #signing: Record<Side, string | undefined> = { library: untouched, recipe: untouched };
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

  noteSigningKey(side: Side, { status, refusedBy }: Answer): void {
    const reason = refusedBy === undefined ? '' : `, by its own ${refusedBy}`;
    const outcome = status === 200 ? 'accepted' : `refused: ${status || 'no answer'}${reason}`;
    const before = this.#signing[side];
    // Only changes after an action are worth a step.
    if (before === untouched || before === outcome) return;
    this.#signing[side] = outcome;
    this.timeline.add(side, `new key ${outcome}`, tones.get(status) ?? 'bad');
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
