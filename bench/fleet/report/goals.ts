import { count, duration } from '../../resilience/report/wording.js';
import type { LatencyInQuarters } from '../processes/fleet-history.js';
import type { RunResult } from '../processes/run.js';
import type { Results } from '../results.js';
import type { SimulationResult } from '../simulation/result.js';
import { mean, median, spreads, usual } from './figures.js';

/** A figure to reach, and whether it is. */
export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  readonly isMet: boolean;
}

/** Milliseconds until all replicas accept a new key. */
const SOON = 250;

export function goals({ shared, alone, faults, simulations }: Results): Goal[] {
  const largest = simulations.at(-1);
  return [
    ...ofProcesses(shared, alone),
    ...(faults?.rows ?? []).map(({ title, rollover, after }) =>
      none(`Valid requests refused, ${title.toLowerCase()}`, rollover.refused + after.refused),
    ),
    ...(largest ? ofSimulation(largest) : []),
  ];
}

function ofProcesses(shared: RunResult, alone: RunResult): Goal[] {
  const { replicas } = shared.settings;
  const fleet = `${replicas} processes`;
  return [
    none(`Valid requests refused, ${fleet}`, shared.all.refused),
    atMost(
      `Refreshes for one rollover, ${fleet}, on average`,
      1.2,
      mean(shared.rollovers.map((r) => r.refreshes)),
    ),
    atMost(
      `Refreshes for one automatic interval, ${fleet}`,
      1.2,
      shared.calm.refreshes / shared.calm.intervals,
    ),
    soon(`Until all accept a new key, ${fleet}, median`, median(spreads(shared.rollovers))),
    beyondNoise('p50', shared.known, alone.known),
    beyondNoise('p99', shared.known, alone.known),
  ];
}

function ofSimulation(simulation: SimulationResult): Goal[] {
  const { day, end, boot, calm, rollovers, known } = simulation;
  const fleet = `${count(day.replicas)} simulated`;
  const refused = boot.refused + known.refused + rollovers.reduce((sum, r) => sum + r.refused, 0);
  const orphaned = rollovers.find(({ kind }) => kind === 'holder-killed');
  return [
    ...(end < day.end
      ? [
          {
            what: `The simulated day, ${fleet}`,
            goal: duration(day.end),
            measured: `cut short after ${duration(end)}: real time was up`,
            isMet: false,
          },
        ]
      : []),
    none(`Valid requests refused, ${fleet}`, refused),
    atMost(
      `Refreshes for one rollover, ${fleet}, on average`,
      1.5,
      mean(usual(rollovers).map((r) => r.refreshes)),
    ),
    atMost(`Refreshes for one automatic interval, ${fleet}`, 1.5, calm.refreshes / calm.intervals),
    soon(`Until all know a new key, ${fleet}, median`, median(spreads(usual(rollovers)))),
    ...(orphaned
      ? [atMost(`Refreshes for a rollover whose lease holder is killed, ${fleet}`, 3, orphaned.refreshes)]
      : []),
  ];
}

function none(what: string, refused: number): Goal {
  return { what, goal: '0', measured: count(refused), isMet: refused === 0 };
}

function atMost(what: string, most: number, measured: number): Goal {
  return { what, goal: `≤ ${most}`, measured: decimal(measured), isMet: measured <= most };
}

function soon(what: string, measured: number): Goal {
  return { what, goal: `≤ ${SOON} ms`, measured: duration(measured), isMet: measured <= SOON };
}

function beyondNoise(share: 'p50' | 'p99', shared: LatencyInQuarters, alone: LatencyInQuarters): Goal {
  const quarters = alone.quarters.map((quarter) => quarter[share]);
  const [least, most] = [Math.min(...quarters), Math.max(...quarters)];
  return {
    what: `${share} of requests with a known key`,
    goal: `≤ ${most.toFixed(1)} ms, the slowest quarter of the run without a store`,
    measured: `${shared[share].toFixed(1)} ms; without a store ${alone[share].toFixed(1)} ms, its quarters ${least.toFixed(1)} to ${most.toFixed(1)} ms`,
    isMet: shared[share] <= most,
  };
}

function decimal(value: number): string {
  return Number.isInteger(value) ? count(value) : value.toFixed(2);
}
