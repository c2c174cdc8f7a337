import { shiftedMonotonic } from './shifted-time.js';

const armReal = setTimeout;
const disarmReal = clearTimeout;
const LONGEST_REAL_DELAY = 2 ** 31 - 1;

/** What `setTimeout` and `setInterval` return under the shifted clock; has the members of Node's own `Timeout`. */
export class ShiftedTimer {
  static readonly #active = new Map<number, ShiftedTimer>();
  static #made = 0;

  readonly #id: number;
  readonly #callback: () => void;
  readonly #delay: number;
  readonly #repeats: boolean;
  #due: number;
  #isRef = true;
  #handle: NodeJS.Timeout | undefined;

  constructor(
    callback: (...args: never[]) => void,
    delay: number | undefined,
    repeats: boolean,
    args: readonly unknown[],
  ) {
    ShiftedTimer.#made += 1;
    this.#id = ShiftedTimer.#made;
    this.#callback = () => void Reflect.apply(callback, this, args);
    // As Node does with anything that is not a delay.
    this.#delay = delay !== undefined && delay >= 1 && delay <= LONGEST_REAL_DELAY ? delay : 1;
    this.#repeats = repeats;
    this.#due = shiftedMonotonic() + this.#delay;
    this.refresh();
  }

  /** When the next timer is due, on the shifted clock. */
  static nextDue(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const timer of ShiftedTimer.#active.values()) next = Math.min(next, timer.#due);
    return next;
  }

  /** Fires the timers that are due after a shift, in their order. */
  static fireDue(): void {
    const now = shiftedMonotonic();
    const due = [...ShiftedTimer.#active.values()].filter((timer) => timer.#due <= now);
    for (const timer of due.toSorted((a, b) => a.#due - b.#due))
      if (ShiftedTimer.#active.has(timer.#id)) timer.#fire();
  }

  /** Shortens the waits of the remaining timers after a shift. */
  static rearm(): void {
    for (const timer of ShiftedTimer.#active.values()) timer.#arm();
  }

  /** `clearTimeout` and `clearInterval`: for a timer of this class, its number, or a timer of Node's own. */
  static clear(timer: NodeJS.Timeout | ShiftedTimer | number | string | undefined): void {
    if (timer instanceof ShiftedTimer) timer.close();
    else if (typeof timer === 'number' || typeof timer === 'string')
      ShiftedTimer.#active.get(Number(timer))?.close();
    else disarmReal(timer);
  }

  refresh(): this {
    this.#due = shiftedMonotonic() + this.#delay;
    ShiftedTimer.#active.set(this.#id, this);
    this.#arm();
    return this;
  }

  close(): this {
    ShiftedTimer.#active.delete(this.#id);
    disarmReal(this.#handle);
    return this;
  }

  ref(): this {
    this.#isRef = true;
    this.#handle?.ref();
    return this;
  }

  unref(): this {
    this.#isRef = false;
    this.#handle?.unref();
    return this;
  }

  hasRef(): boolean {
    return this.#isRef;
  }

  [Symbol.toPrimitive](): number {
    return this.#id;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #arm(): void {
    disarmReal(this.#handle);
    const wait = Math.min(Math.max(0, this.#due - shiftedMonotonic()), LONGEST_REAL_DELAY);
    this.#handle = armReal(() => this.#fire(), wait);
    if (!this.#isRef) this.#handle.unref();
  }

  #fire(): void {
    // A real timer may be a fraction of a millisecond early, and the clock may have been shifted since it was armed.
    if (shiftedMonotonic() < this.#due - 1) return this.#arm();
    if (this.#repeats) this.refresh();
    else this.close();
    this.#callback();
  }
}
