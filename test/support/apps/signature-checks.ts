import crypto, { type verify } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { onTestFinished, vi, type MockInstance } from 'vitest';

const unspied = crypto.verify;

/** Counts the signature checks of node:crypto until the test ends, and lets them happen: test files share their modules. */
export function watchSignatureChecks(): MockInstance<typeof verify> {
  const checks = vi.spyOn(crypto, 'verify');
  // Named imports of a built-in module see what has been put on it only after a synchronization.
  syncBuiltinESMExports();
  onTestFinished(() => {
    checks.mockRestore();
    syncBuiltinESMExports();
  });
  return checks;
}

/** How many ran in the thread pool: with a callback. */
export function countInPool({ mock: { calls } }: MockInstance<typeof verify>): number {
  return calls.filter((call) => call.length === 5).length;
}

/** Signature checks whose results are kept back. */
export interface HeldChecks {
  /** How many are. */
  readonly count: number;
  readonly release: () => void;
}

/** Lets the thread pool check signatures, and keeps its results back until they are released. */
export function holdPool(checks: MockInstance<typeof verify>): HeldChecks {
  const original = unspied;
  const held: (() => void)[] = [];
  let isHolding = true;
  checks.mockImplementation((...[algorithm, data, key, signature, callback]: Parameters<typeof verify>) => {
    // The overload without a callback checks on the event loop.
    if (typeof callback !== 'function')
      return Reflect.apply(original, crypto, [algorithm, data, key, signature]);
    return original(algorithm, data, key, signature, (...result) => {
      if (isHolding) held.push(() => callback(...result));
      else callback(...result);
    });
  });
  return {
    get count() {
      return held.length;
    },
    release: () => {
      isHolding = false;
      for (const answer of held.splice(0)) answer();
    },
  };
}
