import { parseDuration } from '../time/duration.js';
import { Clock, type TimerHandle } from '../time/clock.js';
import { nextTurn } from '../time/event-loop.js';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/**
 * A clock that moves only by `await clock.advance('10m')`, which fires every timer that falls due, in order, and
 * lets the promises that each one settles run before the next.
 */
export class ManualClock extends Clock {
  #now: number;
  #monotonic = 0;
  #lastHandle = 0;
  readonly #timers = new Map<TimerHandle, Timer>();

  /** @param now wall-clock start, milliseconds since the epoch; default 2026-01-01T00:00:00Z */
  constructor(now = Date.UTC(2026, 0, 1)) {
    super();
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  setTimeout(callback: () => void, milliseconds: number): TimerHandle {
    const handle = ++this.#lastHandle;
    this.#timers.set(handle, { at: this.#monotonic + Math.max(0, milliseconds), callback });
    return handle;
  }

  clearTimeout(handle: TimerHandle): void {
    this.#timers.delete(handle);
  }

  /** How many timers wait; 0 after a clean shutdown. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /**
   * Moves both clocks forward, firing what falls due.
   *
   * @param by milliseconds, or a string with its unit
   */
  async advance(by: number | string): Promise<void> {
    const milliseconds = typeof by === 'number' ? by : parseDuration(by);
    if (milliseconds === undefined) throw new TypeError(`${by} is no length of time`);
    const target = this.#monotonic + milliseconds;
    await settled();
    for (let next = this.#next(target); next; next = this.#next(target)) {
      const [handle, { at, callback }] = next;
      this.#timers.delete(handle);
      this.#moveTo(at);
      callback();
      await settled();
    }
    this.#moveTo(target);
  }

  /** Sets the wall clock alone, as an operator or a time server would; timers are not affected. */
  setWallClock(now: number): void {
    this.#now = now;
  }

  #next(until: number): [TimerHandle, Timer] | undefined {
    const due = [...this.#timers].filter(([, { at }]) => at <= until);
    return due.toSorted(([, a], [, b]) => a.at - b.at)[0];
  }

  #moveTo(monotonic: number): void {
    this.#now += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }
}

/** Two turns of the event loop: long enough for chains of settled promises, with no real time passing. */
async function settled(): Promise<void> {
  await nextTurn();
  await nextTurn();
}
