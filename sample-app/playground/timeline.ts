import type { Side } from './load/recorder.js';

export type Tone = 'plain' | 'good' | 'bad' | 'warn';

/** Something that followed an action; repeated steps are counted. */
export interface Step {
  readonly side: Side;
  readonly text: string;
  readonly tone: Tone;
  /** Milliseconds after the action. */
  readonly after: number;
  count: number;
}

/** An action of the operator and what followed from it. */
export interface Row {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly title: string;
  /** Why tokens do not verify after this action. */
  readonly cause: string;
  readonly steps: Step[];
}

const rowsKept = 12;
const stepsKept = 12;
/** Milliseconds after which an event no longer belongs to the action before it. */
const reach = 60_000;

/** The time line: rows of what was done, each with the steps that followed. */
export class Timeline {
  #rows: Row[] = [];
  #lastId = 0;

  /** Newest first. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Why a token may not verify now. */
  get cause(): string {
    return this.#current().cause;
  }

  begin(title: string, cause = 'unknown key'): Row {
    const row: Row = { id: ++this.#lastId, at: Date.now(), title, cause, steps: [] };
    this.#rows = [row, ...this.#rows].slice(0, rowsKept);
    return row;
  }

  /** Adds a step to the newest row, or counts it there when it is a repetition. */
  add(side: Side, text: string, tone: Tone = 'plain'): void {
    const same = this.#find(side, text);
    if (same) same.count += 1;
    else this.#push(side, text, tone);
  }

  /** Adds a step to the newest row unless it is there already. */
  addOnce(side: Side, text: string, tone: Tone = 'plain'): void {
    if (!this.#find(side, text)) this.#push(side, text, tone);
  }

  #find(side: Side, text: string): Step | undefined {
    return this.#current().steps.find((step) => step.side === side && step.text === text);
  }

  #push(side: Side, text: string, tone: Tone): void {
    const { steps, at } = this.#current();
    if (steps.length < stepsKept) steps.push({ side, text, tone, after: Date.now() - at, count: 1 });
  }

  #current(): Row {
    const newest = this.#rows[0];
    return newest && Date.now() - newest.at < reach ? newest : this.begin('In the background');
  }
}
