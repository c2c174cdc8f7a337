import type { Day } from './day.js';
import type { TrafficLoad } from './traffic.js';

/** One rollover of the simulated fleet. */
export interface SimulatedRollover {
  readonly at: number;
  readonly kind: 'usual' | 'after-outage' | 'holder-killed';
  readonly refreshes: number;
  readonly calls: number;
  /** Milliseconds from the first accepted token of the new key until all replicas know it; `null`: never. */
  readonly spread: number | null;
  readonly refused: number;
  /** Longest wait of an accepted request, in milliseconds. */
  readonly slowest: number;
}

/** The result of one simulated day. */
export interface SimulationResult {
  readonly day: Day;
  /** Virtual milliseconds; less than the day's where real time was up before. */
  readonly end: number;
  readonly boot: { readonly refreshes: number; readonly refused: number };
  readonly calm: { readonly refreshes: number; readonly calls: number; readonly intervals: number };
  readonly rollovers: readonly SimulatedRollover[];
  /** `minutes`: as far as the simulation got. */
  readonly outage: { readonly refreshes: number; readonly calls: number; readonly minutes: number };
  /** Requests with a key that all replicas know. */
  readonly known: { readonly sent: number; readonly refused: number };
  readonly requests: number;
  readonly redis: {
    readonly day: TrafficLoad;
    readonly calm: TrafficLoad;
    /** From the first usual rollover to the outage. */
    readonly rollovers: TrafficLoad;
    readonly outage: TrafficLoad;
    readonly snapshotSize: number;
  };
  /** Bytes of heap for each replica, with keys and timers. */
  readonly memoryPerReplica: number;
  readonly residentMegabytes: number;
  /** Real seconds. */
  readonly took: number;
}
