/** A longer queue moves faster: nobody should stand in it for seconds. */
const MOST_TURNS = 500;
/** What has passed is cut off the queue in pieces, not one by one. */
const LONGEST_TAIL = 1024;

/**
 * Lets few pass in one turn of the event loop. Hundreds of requests may wait for the same refresh; answered all at once,
 * they would hold up every other request of the process.
 */
export class Turnstile {
  readonly #queue: (() => void)[] = [];
  #next = 0;
  #passed = 0;
  #isTurning = false;
  /** How many pass in a turn, until the queue is empty. */
  #pace: number;

  constructor(private readonly perTurn: number) {
    this.#pace = perTurn;
  }

  /** Calls back in this turn of the event loop or in a later one, in the order of the calls. */
  pass(through: () => void): void {
    this.#turnLater();
    if (this.#passed >= this.perTurn) {
      this.#queue.push(through);
      return;
    }
    this.#passed++;
    through();
  }

  #turnLater(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isTurning = false;
    const waiting = this.#queue.length - this.#next;
    this.#pace = waiting === 0 ? this.perTurn : Math.max(this.#pace, Math.ceil(waiting / MOST_TURNS));
    const released = this.#queue.slice(this.#next, this.#next + this.#pace);
    this.#next += released.length;
    this.#passed = released.length;
    if (this.#next === this.#queue.length || this.#next > LONGEST_TAIL) {
      this.#queue.splice(0, this.#next);
      this.#next = 0;
    }
    if (released.length > 0) this.#turnLater();
    for (const through of released) through();
  }
}
