import type { Clock, TimerHandle } from './clock.js';
import type { IssuerMetadata } from './issuer-metadata.js';
import type { RefreshAttempt } from './refresh-attempt.js';
import type { Question } from './refresh-request.js';
import { Turnstile } from './turnstile.js';

/** A request that waits for a refresh. */
export interface Waiter {
  readonly question: Question;
  /** Attempts with a higher number started after the question arose. */
  readonly since: number;
  /** Monotonic. All wait equally long, so whoever came first has to leave first. */
  readonly deadline: number;
  /** What it waits for. */
  attempt: RefreshAttempt;
  readonly resolve: (metadata: IssuerMetadata) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Those who wait for a refresh. An attempt that ends may leave thousands here without an answer: they are told on a
 * list, and only whoever leaves costs a turn of promises.
 */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #onDeadline: (waiter: Waiter) => void;
  readonly #waiters = new Set<Waiter>();
  readonly #turnstile = new Turnstile();
  #leaving = 0;
  #timer: TimerHandle | undefined;

  /** @param onDeadline called when a waiter has waited long enough and has left */
  constructor(clock: Clock, onDeadline: (waiter: Waiter) => void) {
    this.#clock = clock;
    this.#onDeadline = onDeadline;
  }

  /** Those who wait, and those who have been refused and are on their way out. */
  get size(): number {
    return this.#waiters.size + this.#leaving;
  }

  /** In the order they came. Whoever is met may leave. */
  [Symbol.iterator](): Iterator<Waiter> {
    return this.#waiters.values();
  }

  enter(waiter: Waiter): void {
    this.#waiters.add(waiter);
    this.#timer ??= this.#callAt(waiter.deadline);
  }

  leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size > 0 || this.#timer === undefined) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Lets a waiter go who has to be refused: few in one turn of the event loop, so counted until it is through. */
  leaveInTurn(waiter: Waiter, through: () => void): void {
    this.leave(waiter);
    this.#leaving++;
    this.#turnstile.pass(() => {
      this.#leaving--;
      through();
    });
  }

  #callAt(deadline: number): TimerHandle {
    return this.#clock.setTimeout(() => this.#callOverdue(), deadline - this.#clock.monotonic());
  }

  #callOverdue(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (const waiter of this.#waiters) {
      if (waiter.deadline > now) {
        this.#timer = this.#callAt(waiter.deadline);
        return;
      }
      this.leaveInTurn(waiter, () => this.#onDeadline(waiter));
    }
  }
}
