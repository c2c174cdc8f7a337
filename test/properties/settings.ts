import type { Parameters } from 'fast-check';

/** Fixed, so that a red build is red again on the next machine; fast-check prints it with the counterexample. */
const SEED = Number(process.env['PROPERTY_SEED'] ?? 20_261_123);
/** For a long night: `PROPERTY_EFFORT=50 npx vitest run test/properties`. */
const EFFORT = Number(process.env['PROPERTY_EFFORT'] ?? 1);

/** How a property is run. The numbers are chosen for all of them to take half a minute on two cores. */
export function runs<T>(numRuns: number): Parameters<T> {
  return { seed: SEED, numRuns: numRuns * EFFORT, verbose: 1 };
}

/** Milliseconds for one property on a machine that is busy with something else. */
export const PATIENCE = 60_000 * EFFORT;
