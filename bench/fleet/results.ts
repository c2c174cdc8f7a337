import type { FaultResults } from './processes/faults.js';
import type { RunResult } from './processes/run.js';
import type { SimulationResult } from './simulation/result.js';

/** All that was measured. */
export interface Results {
  readonly shared: RunResult;
  readonly alone: RunResult;
  /** `undefined` without a redis-server to break. */
  readonly faults: FaultResults | undefined;
  /** From the smallest fleet, which is one replica, to the largest. */
  readonly simulations: readonly SimulationResult[];
}
