import { expose } from '../../support/remote.js';
import type { Day } from './day.js';
import type { SimulationResult } from './result.js';
import { simulate } from './simulate.js';

/** The simulation in a process of its own, so that its memory is its own. */
export class SimulationProcess {
  /** @param limit real milliseconds */
  simulate(day: Day, limit: number): Promise<SimulationResult> {
    return simulate(day, limit);
  }
}

// Imported for its type alone by the bench, this file runs only as a process.
if (process.send) expose(new SimulationProcess());
