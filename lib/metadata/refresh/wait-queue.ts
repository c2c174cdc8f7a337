import type { Clock, TimerHandle } from '../../time/clock.js';
import type { IssuerMetadata } from '../../keys/issuer-metadata.js';
import type { RefreshAttempt } from './refresh-attempt.js';
import type { Question, RequestStart } from './refresh-request.js';
import { Turnstile } from './per-tick-limiter.js';

/** Each of them has a signature to be checked, and half a millisecond is soon gone. */
const LET_IN_PER_TURN = 16;
const TURNED_AWAY_PER_TURN = 4;

/** A request that waits for a refresh. */
export interface Waiter {
  readonly question: Question;
  readonly start: RequestStart;
  /** What it waits for. */
  attempt: RefreshAttempt;
  readonly resolve: (metadata: IssuerMetadata) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Those who wait for a refresh. An attempt that ends may leave thousands here without an answer: they are told on a
 * list, and only whoever leaves costs a turn of promises; few in one turn of the event loop, so that nobody else has to
 * wait for them.
 */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #onDeadline: (waiter: Waiter) => void;
  readonly #waiters = new Set<Waiter>();
  /** Whoever is let in does not queue behind those who are refused. */
  readonly #wayIn = new Turnstile(LET_IN_PER_TURN);
  readonly #wayOut = new Turnstile(TURNED_AWAY_PER_TURN);
  #leaving = 0;
  #timer: { readonly handle: TimerHandle; readonly at: number } | undefined;

  /** @param onDeadline called when a waiter has waited long enough and has left */
  constructor(clock: Clock, onDeadline: (waiter: Waiter) => void) {
    this.#clock = clock;
    this.#onDeadline = onDeadline;
  }

  /** Those who wait, and those who are on their way out. */
  get size(): number {
    return this.#waiters.size + this.#leaving;
  }

  /** In the order they came. Whoever is met may leave. */
  [Symbol.iterator](): Iterator<Waiter> {
    return this.#waiters.values();
  }

  enter(waiter: Waiter): void {
    this.#waiters.add(waiter);
    this.#callAt(waiter.start.deadline);
  }

  /** Lets a waiter go on who has got what it waited for; counted until it is through. */
  letIn(waiter: Waiter, through: () => void): void {
    this.#leave(waiter, this.#wayIn, through);
  }

  /** Lets a waiter go who has to be refused; counted until it is through. */
  turnAway(waiter: Waiter, through: () => void): void {
    this.#leave(waiter, this.#wayOut, through);
  }

  #leave(waiter: Waiter, turnstile: Turnstile, through: () => void): void {
    if (!this.#waiters.delete(waiter)) return;
    if (this.#waiters.size === 0) this.#cancelCall();
    this.#leaving++;
    turnstile.pass(() => {
      this.#leaving--;
      through();
    });
  }

  /** One timer for all: for the first deadline there is. */
  #callAt(deadline: number): void {
    if (this.#timer && this.#timer.at <= deadline) return;
    this.#cancelCall();
    const wait = deadline - this.#clock.monotonic();
    this.#timer = { handle: this.#clock.setTimeout(() => this.#callOverdue(), wait), at: deadline };
  }

  #cancelCall(): void {
    if (this.#timer) this.#clock.clearTimeout(this.#timer.handle);
    this.#timer = undefined;
  }

  #callOverdue(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    const overdue: Waiter[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const waiter of this.#waiters) {
      const { deadline } = waiter.start;
      if (deadline <= now) overdue.push(waiter);
      else next = Math.min(next, deadline);
    }
    if (next < Number.POSITIVE_INFINITY) this.#callAt(next);
    for (const waiter of overdue) this.turnAway(waiter, () => this.#onDeadline(waiter));
  }
}
