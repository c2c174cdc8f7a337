import { setImmediate as nextTurn } from 'node:timers/promises';
import { collectGarbage } from './heap.js';
import type { TokenPool } from './tokens/token-pool.js';

/** Prepares the validation of these tokens, unmeasured. @returns a function that validates the token of that index */
export type Bind = (tokens: readonly string[]) => (index: number) => unknown;

/** Enough for a stable mean, and few enough for the tokens to fit the processor's cache. */
const MOST_CALLS = 10_000;

/** One way of validating, and its tokens in rotation. */
export class Lane {
  #next = 0;
  /** Microseconds. */
  #cost = 100;

  constructor(
    private readonly bind: Bind,
    private readonly pool: TokenPool,
    private readonly rotation: number = pool.count,
  ) {}

  /** Compiles code, fills caches, and estimates how many calls fit into a batch. */
  async warmUp(calls: number): Promise<void> {
    let left = calls;
    while (left > 0) {
      const batch = Math.min(left, MOST_CALLS);
      this.#cost = await this.measureCalls(1, batch);
      left -= batch;
    }
  }

  /**
   * One call in each turn of the event loop, as requests come: what a call leaves for later turns, such as a place in the
   * thread pool, is not the next one's.
   *
   * @returns microseconds per call, over a batch of about this many milliseconds
   */
  async measureInTurns(milliseconds: number): Promise<number> {
    const calls = Math.min(Math.ceil((milliseconds * 1000) / this.#cost), MOST_CALLS);
    const validate = this.#bindNext(calls);
    let spent = 0;
    for (let index = 0; index < calls; index += 1) {
      await nextTurn();
      const begun = performance.now();
      const result = validate(index);
      if (result instanceof Promise) await result;
      spent += performance.now() - begun;
    }
    return (spent * 1000) / calls;
  }

  /** @returns microseconds per call, over a batch of about this many milliseconds */
  async measure(inFlight: number, milliseconds: number): Promise<number> {
    const fitting = Math.ceil((milliseconds * 1000) / this.#cost);
    return this.measureCalls(inFlight, Math.max(inFlight, Math.min(fitting, MOST_CALLS)));
  }

  /** @returns microseconds per call */
  async measureCalls(inFlight: number, calls: number): Promise<number> {
    const validate = this.#bindNext(calls);
    const begun = performance.now();
    await runAll(validate, calls, inFlight);
    return ((performance.now() - begun) * 1000) / calls;
  }

  /** Binds the next tokens of the rotation, and collects the garbage of before. */
  #bindNext(calls: number): ReturnType<Bind> {
    const tokens = Array.from({ length: calls }, (_, index) =>
      this.pool.token((this.#next + index) % this.rotation),
    );
    this.#next = (this.#next + calls) % this.rotation;
    const validate = this.bind(tokens);
    collectGarbage();
    return validate;
  }
}

/** Keeps `inFlight` calls running, as a server does. */
async function runAll(validate: (index: number) => unknown, calls: number, inFlight: number): Promise<void> {
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < calls) {
      const result = validate(next++);
      // Synchronous results are not awaited: a library that returns no promise does not pay for one.
      if (result instanceof Promise) await result;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, run));
}
