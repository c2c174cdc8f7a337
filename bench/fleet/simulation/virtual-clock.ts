import { Clock, type TimerHandle } from '../../../lib/time/clock.js';

interface Timer {
  readonly at: number;
  readonly handle: TimerHandle;
}

/**
 * A clock on which nothing happens in real time. Timers wait in a heap, so that a fleet may have a hundred thousand of
 * them; those due at the same time fire in the order they were set.
 */
export class VirtualClock extends Clock {
  readonly #heap: Timer[] = [];
  readonly #callbacks = new Map<TimerHandle, () => void>();
  #monotonic = 0;
  #lastHandle = 0;

  constructor(private readonly startedAt = Date.UTC(2026, 0, 1)) {
    super();
  }

  now(): number {
    return this.startedAt + this.#monotonic;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  setTimeout(callback: () => void, milliseconds: number): TimerHandle {
    const handle = ++this.#lastHandle;
    this.#callbacks.set(handle, callback);
    this.#push({ at: this.#monotonic + Math.max(0, milliseconds), handle });
    return handle;
  }

  clearTimeout(handle: TimerHandle): void {
    // Its entry in the heap is skipped when it falls due.
    this.#callbacks.delete(handle);
  }

  /**
   * Fires the timers in order; the promises each one settles run before the next.
   *
   * @param isOver asked before each timer; the clock stops where it is
   */
  async runUntil(time: number, isOver: () => boolean): Promise<void> {
    await settled();
    for (let next = this.#heap[0]; next && next.at <= time; next = this.#heap[0]) {
      if (isOver()) return;
      this.#pop();
      const callback = this.#callbacks.get(next.handle);
      if (!callback) continue;
      this.#callbacks.delete(next.handle);
      this.#monotonic = Math.max(this.#monotonic, next.at);
      callback();
      await settled();
    }
    this.#monotonic = time;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isSooner(timer, heap[parent])) break;
      this.#move(parent, index);
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const child = isSooner(heap[left + 1], heap[left]) ? left + 1 : left;
      if (!isSooner(heap[child], last)) break;
      this.#move(child, index);
      index = child;
    }
    heap[index] = last;
  }

  #move(from: number, to: number): void {
    const timer = this.#heap[from];
    if (timer) this.#heap[to] = timer;
  }
}

function isSooner(a: Timer | undefined, b: Timer | undefined): boolean {
  if (!a || !b) return a !== undefined;
  return a.at < b.at || (a.at === b.at && a.handle < b.handle);
}

/** Two turns of the event loop: all promises that can settle have, with no real time passing. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
