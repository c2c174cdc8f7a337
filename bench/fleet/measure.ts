import { setTimeout as wait } from 'node:timers/promises';
import { Child } from '../support/child.js';
import { remote } from '../support/remote.js';
import { runFaults } from './processes/faults.js';
import { Fleet } from './processes/fleet.js';
import { findRedis, type FoundRedis } from './processes/own-redis.js';
import { run, type RunResult, type RunSettings } from './processes/run.js';
import type { Results } from './results.js';
import type { Settings } from './settings.js';
import type { Day } from './simulation/day.js';
import type { SimulationProcess } from './simulation/process.js';
import type { SimulationResult } from './simulation/result.js';

/** Most heap the simulation may take, in megabytes. */
const HEAP = 1500;

export async function measure({ run, costIntervals, days, simulationLimit }: Settings): Promise<Results> {
  // First of all: without it there is no need to wait for the rest.
  const redis = await findRedis();
  try {
    const simulations: SimulationResult[] = [];
    // One after the other: all at once would take more memory than there may be.
    for (const day of days) simulations.push(await runSimulation(day, simulationLimit));
    const [shared, alone] = await runBoth(run, redis);
    const faults = await runFaults(run.replicas, run.perSecond, costIntervals);
    return { shared, alone, faults, simulations };
  } finally {
    await redis.end();
  }
}

/** Side by side, so that other load of the machine affects both; out of step, so that neither disturbs the other. */
async function runBoth(
  settings: RunSettings,
  redis: FoundRedis,
): Promise<[shared: RunResult, alone: RunResult]> {
  console.log(`${2 * settings.replicas} replicas, half of them on ${redis.address}`);
  await using shared = await Fleet.start(settings.replicas, redis.url);
  await using alone = await Fleet.start(settings.replicas, undefined);
  const later = wait(settings.gap / 2).then(() => run(alone, settings));
  return await Promise.all([run(shared, settings), later]);
}

async function runSimulation(day: Day, limit: number): Promise<SimulationResult> {
  console.log(`${day.replicas} simulated replica(s)`);
  const module = new URL('simulation/process.js', import.meta.url);
  await using child = await Child.start(module, [], ['--expose-gc', `--max-old-space-size=${HEAP}`]);
  return await remote<SimulationProcess>(child.process).simulate(day, limit);
}
