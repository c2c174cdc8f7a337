import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// Switched on here, so that child processes need no flags of their own.
setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Collects garbage, so that the next measurement does not pay for it. */
export function collectGarbage(): void {
  collect();
}

/** Fewer bytes than this come and go by themselves. */
const STILL = 20_000;
const MOST_PASSES = 50;

/** What is reachable in JavaScript and beside it, in bytes. */
export async function heapInUse(): Promise<number> {
  let last = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    collect();
    // Weak references, finalizers and code that is no longer used need a turn of the loop, and another collection.
    await wait(10);
    const { heapUsed, external } = process.memoryUsage();
    const inUse = heapUsed + external;
    if (last - inUse < STILL && pass > 2) return inUse;
    last = inUse;
  }
  return last;
}
