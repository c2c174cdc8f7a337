import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// Switched on here, so that child processes need no flags of their own.
setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Collects garbage, so that the next measurement does not pay for it. */
export function collectGarbage(): void {
  collect();
}

/** What is reachable in JavaScript and beside it, in bytes. */
export async function heapInUse(): Promise<number> {
  // Weak references and finalizers need a turn of the loop, and then another collection.
  for (let pass = 0; pass < 3; pass += 1) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
