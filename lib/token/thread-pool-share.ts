import { atEndOfTurn } from '../time/event-loop.js';

/** Microseconds of work handed to the thread pool at once: what a DNS look-up or a file may have to wait for. */
const MAX_RUNNING = 4000;
/** Microseconds of work that may wait for its turn: about the longest that a token is kept waiting by others. */
const MAX_WAITING = 1_000_000;
/** Jobs that have left the queue are cut off in pieces, not one by one. */
const LONGEST_TAIL = 1024;

interface WaitingJob {
  readonly cost: number;
  readonly start: () => void;
}

/**
 * Decides which signatures are checked on the event loop and which in libuv's thread pool, and bounds the share of the
 * pool they take: DNS look-ups and files use the same threads. The bounds are estimated time, not numbers of jobs,
 * since one algorithm costs fifty times as much as another.
 */
export class ThreadPoolShare {
  readonly #waiting: WaitingJob[] = [];
  #next = 0;
  #runningCost = 0;
  #waitingCost = 0;
  /** Signatures of this turn of the event loop. */
  #inTurn = 0;
  /** Whether the last turn that had signatures had several. */
  #wasShared = false;

  /**
   * Whether the next signature belongs in the pool: others have come in this turn of the event loop, several came in the
   * last turn that had any, or others are in the pool. So a second processor helps, and no turn becomes long.
   */
  get isBusy(): boolean {
    return this.#inTurn > 0 || this.#wasShared || this.#runningCost > 0;
  }

  /** Counts a signature of this turn of the event loop. */
  takeTurn(): void {
    if (this.#inTurn++ === 0) atEndOfTurn(() => this.#endTurn());
  }

  /**
   * Runs a job of the thread pool, in the order of the calls: at the end of this turn of the event loop, or sooner where
   * another job ends. The jobs of a turn go together, since waking a thread costs about as much as an RSA check.
   *
   * @param cost estimated, in microseconds
   * @returns `undefined` when more work waits already than the bound allows
   */
  run<T>(cost: number, job: () => Promise<T>): Promise<T> | undefined {
    if (this.#waitingCost + cost > MAX_WAITING) return undefined;
    this.#waitingCost += cost;
    this.takeTurn();
    return new Promise((resolve) => {
      this.#waiting.push({ cost, start: () => resolve(this.#start(cost, job)) });
    });
  }

  #endTurn(): void {
    this.#wasShared = this.#inTurn > 1;
    this.#inTurn = 0;
    this.#startWaiting();
  }

  /** A job dearer than the whole share runs alone. */
  #hasRoomFor(cost: number): boolean {
    return this.#runningCost === 0 || this.#runningCost + cost <= MAX_RUNNING;
  }

  async #start<T>(cost: number, job: () => Promise<T>): Promise<T> {
    this.#runningCost += cost;
    try {
      return await job();
    } finally {
      this.#runningCost -= cost;
      this.#startWaiting();
    }
  }

  #startWaiting(): void {
    for (;;) {
      const job = this.#waiting[this.#next];
      if (!job || !this.#hasRoomFor(job.cost)) break;
      this.#next++;
      this.#waitingCost -= job.cost;
      job.start();
    }
    if (this.#next === this.#waiting.length || this.#next > LONGEST_TAIL) {
      this.#waiting.splice(0, this.#next);
      this.#next = 0;
    }
  }
}
