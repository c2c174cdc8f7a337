import { collectGarbage } from './heap.js';
import type { TokenPool } from './tokens/token-pool.js';

/** Makes ready to validate these very tokens, off the clock; what comes back validates the one of that number. */
export type Bind = (tokens: readonly string[]) => (index: number) => unknown;

/** Enough for a good mean, and not so many that the tokens fill the cache of the processor. */
const MOST_CALLS = 10_000;

/** One way of validating, and the tokens that come along in rotation. */
export class Lane {
  #next = 0;
  /** Microseconds. */
  #cost = 100;

  constructor(
    private readonly bind: Bind,
    private readonly pool: TokenPool,
    private readonly rotation: number = pool.count,
  ) {}

  /** Gets code compiled and caches filled, and finds out how much fits into a batch. */
  async warmUp(calls: number): Promise<void> {
    let left = calls;
    while (left > 0) {
      const batch = Math.min(left, MOST_CALLS);
      this.#cost = await this.measureCalls(1, batch);
      left -= batch;
    }
  }

  /** @returns microseconds per call, over a batch of about this many milliseconds */
  async measure(inFlight: number, milliseconds: number): Promise<number> {
    const fitting = Math.ceil((milliseconds * 1000) / this.#cost);
    return this.measureCalls(inFlight, Math.max(inFlight, Math.min(fitting, MOST_CALLS)));
  }

  /** @returns microseconds per call */
  async measureCalls(inFlight: number, calls: number): Promise<number> {
    const tokens = Array.from({ length: calls }, (_, index) =>
      this.pool.token((this.#next + index) % this.rotation),
    );
    this.#next = (this.#next + calls) % this.rotation;
    const validate = this.bind(tokens);
    collectGarbage();
    const begun = performance.now();
    await runAll(validate, calls, inFlight);
    return ((performance.now() - begun) * 1000) / calls;
  }
}

/** As servers do: the next one starts when one of those under way has ended. */
async function runAll(validate: (index: number) => unknown, calls: number, inFlight: number): Promise<void> {
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < calls) {
      const result = validate(next++);
      // What is there at once is not waited for: libraries that answer without a promise should not pay for one.
      if (result instanceof Promise) await result;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, run));
}
