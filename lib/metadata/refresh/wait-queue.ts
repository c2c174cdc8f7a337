import type { Clock, TimerHandle } from '../../time/clock.js';
import { atEndOfTurn } from '../../time/event-loop.js';
import type { Waiter } from './refresh-request.js';

/** Each resolved request checks a signature next: 16 of them take about half a millisecond. */
const RESOLVED_PER_TICK = 16;
const REJECTED_PER_TICK = 4;
/** A longer queue drains faster: in at most this many ticks. */
const MOST_TICKS = 500;

/**
 * The requests that wait for a refresh. One attempt may settle thousands of them: they are settled a few per tick of the
 * event loop, so that requests with known keys are not delayed.
 */
export class WaitQueue {
  readonly #clock: Clock;
  readonly #onDeadline: (waiter: Waiter) => void;
  readonly #closing: ClosingCallers;
  readonly #waiters = new Set<Waiter>();
  /** Resolved requests have their own queue, so rejections do not delay them. */
  readonly #resolved = new PerTickLimiter(RESOLVED_PER_TICK);
  readonly #rejected = new PerTickLimiter(REJECTED_PER_TICK);
  #settling = 0;
  #badSignatures = 0;
  #timer: { readonly handle: TimerHandle; readonly at: number } | undefined;

  /**
   * @param onDeadline called for each waiter whose deadline has passed
   * @param onClosed called for each waiter whose caller is gone
   */
  constructor(clock: Clock, onDeadline: (waiter: Waiter) => void, onClosed = onDeadline) {
    this.#clock = clock;
    this.#onDeadline = onDeadline;
    this.#closing = new ClosingCallers((waiter) => this.reject(waiter, () => onClosed(waiter)));
  }

  /** Requests waiting, and those being settled. */
  get size(): number {
    return this.#waiters.size + this.#settling;
  }

  /** Those of them that wait after a wrong signature. */
  get badSignatures(): number {
    return this.#badSignatures;
  }

  /** In the order of their arrival. A waiter may be removed while it is visited. */
  [Symbol.iterator](): Iterator<Waiter> {
    return this.#waiters.values();
  }

  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
    if (waiter.request.reason === 'bad-signature') this.#badSignatures++;
    this.#planDeadline(waiter.start.deadline);
    this.#closing.add(waiter);
  }

  /** Removes a waiter that is about to be resolved; it counts until `settle` is called, in this tick or a later one. */
  resolve(waiter: Waiter, settle: () => void): void {
    this.#remove(waiter, this.#resolved, settle);
  }

  /** The same for a waiter that is about to be rejected. */
  reject(waiter: Waiter, settle: () => void): void {
    this.#remove(waiter, this.#rejected, settle);
  }

  #remove(waiter: Waiter, limiter: PerTickLimiter, settle: () => void): void {
    if (!this.#waiters.delete(waiter)) return;
    this.#closing.delete(waiter);
    if (this.#waiters.size === 0) this.#cancelDeadline();
    this.#settling++;
    limiter.run(() => {
      this.#settling--;
      if (waiter.request.reason === 'bad-signature') this.#badSignatures--;
      settle();
    });
  }

  /** One timer for all: for the earliest deadline. */
  #planDeadline(deadline: number): void {
    if (this.#timer && this.#timer.at <= deadline) return;
    this.#cancelDeadline();
    const wait = deadline - this.#clock.monotonic();
    this.#timer = { handle: this.#clock.setTimeout(() => this.#rejectOverdue(), wait), at: deadline };
  }

  #cancelDeadline(): void {
    if (this.#timer) this.#clock.clearTimeout(this.#timer.handle);
    this.#timer = undefined;
  }

  #rejectOverdue(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    const overdue: Waiter[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const waiter of this.#waiters) {
      const { deadline } = waiter.start;
      if (deadline <= now) overdue.push(waiter);
      else next = Math.min(next, deadline);
    }
    if (next < Number.POSITIVE_INFINITY) this.#planDeadline(next);
    for (const waiter of overdue) this.reject(waiter, () => this.#onDeadline(waiter));
  }
}

/** The waiters of one caller's connection. */
interface Caller {
  readonly waiters: Set<Waiter>;
  readonly listener: () => void;
}

/**
 * Watches the callers of waiting requests. One listener per connection: thousands of requests may be pipelined on one, and
 * removing a listener takes time in proportion to their number.
 */
class ClosingCallers {
  readonly #callers = new Map<AbortSignal, Caller>();

  /** @param onClosed called for each waiter whose caller is gone */
  constructor(private readonly onClosed: (waiter: Waiter) => void) {}

  add(waiter: Waiter): void {
    const { closed } = waiter.request;
    if (!closed) return;
    const known = this.#callers.get(closed);
    if (known) known.waiters.add(waiter);
    else this.#watch(closed, new Set([waiter]));
  }

  delete(waiter: Waiter): void {
    const { closed } = waiter.request;
    if (!closed) return;
    const caller = this.#callers.get(closed);
    if (!caller?.waiters.delete(waiter) || caller.waiters.size > 0) return;
    this.#callers.delete(closed);
    closed.removeEventListener('abort', caller.listener);
  }

  #watch(closed: AbortSignal, waiters: Set<Waiter>): void {
    const listener = (): void => {
      for (const waiter of waiters) this.onClosed(waiter);
    };
    this.#callers.set(closed, { waiters, listener });
    closed.addEventListener('abort', listener, { once: true });
  }
}

/** Runs at most a batch of tasks per tick of the event loop, in their order. */
class PerTickLimiter {
  readonly #queue: (() => void)[] = [];
  #batchSize: number;
  #available: number;
  #isScheduled = false;

  constructor(private readonly perTick: number) {
    this.#batchSize = this.#available = perTick;
  }

  /** Runs a task in this tick or in a later one. */
  run(task: () => void): void {
    this.#schedule();
    if (this.#available <= 0) {
      this.#queue.push(task);
      return;
    }
    this.#available--;
    task();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    atEndOfTurn(() => this.#tick());
  }

  #tick(): void {
    this.#isScheduled = false;
    const waiting = this.#queue.length;
    // The batch keeps its size until the queue is empty.
    this.#batchSize =
      waiting === 0 ? this.perTick : Math.max(this.#batchSize, Math.ceil(waiting / MOST_TICKS));
    const batch = this.#queue.splice(0, this.#batchSize);
    this.#available = this.perTick - batch.length;
    if (batch.length > 0) this.#schedule();
    for (const task of batch) task();
  }
}
