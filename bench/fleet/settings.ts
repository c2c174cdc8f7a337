import type { RunSettings } from './processes/run.js';
import { day, type Day } from './simulation/day.js';

/** How much the bench does. */
export interface Settings {
  readonly run: RunSettings;
  /** Automatic intervals for which Redis' work is counted. */
  readonly costIntervals: number;
  /** From one replica, which is what the fleet is to look like, to many. */
  readonly days: readonly Day[];
  /** Real milliseconds for each of them. */
  readonly simulationLimit: number;
}

export const FULL: Settings = {
  run: { replicas: 20, perSecond: 2, calmIntervals: 5, rollovers: 10, gap: 6000, outage: 20_000 },
  costIntervals: 3,
  days: [day(1), day(100), day(10_000)],
  simulationLimit: 120_000,
};

/** Two to three minutes. */
export const QUICK: Settings = {
  run: { replicas: 5, perSecond: 2, calmIntervals: 2, rollovers: 3, gap: 5000, outage: 10_000 },
  costIntervals: 1,
  days: [day(1), day(1000)],
  simulationLimit: 30_000,
};
