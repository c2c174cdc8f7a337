import { setTimeout as wait } from 'node:timers/promises';
import {
  FleetHistory,
  type Demand,
  type LatencyInQuarters,
  type RolloverResult,
  type Period,
} from './fleet-history.js';
import { AUTOMATIC_REFRESH_INTERVAL, type Fleet } from './fleet.js';
import { epochTime } from './epoch-time.js';
import { Users } from './users.js';

/** How much is to happen, and how fast. */
export interface RunSettings {
  readonly replicas: number;
  /** Valid requests to each replica. */
  readonly perSecond: number;
  /** Automatic intervals with nothing new. */
  readonly calmIntervals: number;
  readonly rollovers: number;
  /** Milliseconds between rollovers; less than the automatic interval, so that none falls in between. */
  readonly gap: number;
  readonly outage: number;
}

/** What a fleet of real processes went through. */
export interface RunResult {
  readonly settings: RunSettings;
  readonly boot: Demand;
  readonly calm: Demand & { readonly intervals: number };
  readonly rollovers: readonly RolloverResult[];
  readonly outage: Demand & { readonly seconds: number };
  /** The issuer comes back, and signs with a new key. */
  readonly comeback: RolloverResult;
  readonly all: { readonly sent: number; readonly refused: number };
  readonly known: LatencyInQuarters;
  readonly storeFailures: number;
}

const WARM_UP = 3000;
/** On demand the backoff is no longer than this. */
const COMEBACK = 10_000;

/** Calm, rollovers and an outage, under steady load. */
export async function run(fleet: Fleet, settings: RunSettings): Promise<RunResult> {
  const users = new Users(fleet, settings.perSecond);
  await wait(WARM_UP);
  const calm = await lasting(settings.calmIntervals * AUTOMATIC_REFRESH_INTERVAL);
  const rollovers: [kid: string, period: Period][] = [];
  for (let done = 0; done < settings.rollovers; done += 1)
    rollovers.push(await rollOver(fleet, settings.gap));
  await fleet.issuer.fail();
  const outage = await lasting(settings.outage);
  await fleet.issuer.recover();
  const comeback = await rollOver(fleet, COMEBACK);
  await users.end();
  const history = await FleetHistory.of(fleet, users);
  const whole = { from: calm.from, to: epochTime() };
  return {
    settings,
    boot: history.demand({ from: 0, to: fleet.startedAt }),
    calm: { ...history.demand(calm), intervals: settings.calmIntervals },
    rollovers: rollovers.map(([kid, period]) => history.rollover(kid, period)),
    outage: { ...history.demand(outage), seconds: settings.outage / 1000 },
    comeback: history.rollover(...comeback),
    all: history.tally(whole),
    known: history.knownLatency(whole),
    storeFailures: history.storeFailures,
  };
}

/** A rollover, and what comes of it within the given time. */
export async function rollOver(fleet: Fleet, milliseconds: number): Promise<[kid: string, period: Period]> {
  const from = epochTime();
  const { kid } = await fleet.rollOver();
  await wait(milliseconds);
  return [kid, { from, to: epochTime() }];
}

/** Lets time pass. */
export async function lasting(milliseconds: number): Promise<Period> {
  const from = epochTime();
  await wait(milliseconds);
  return { from, to: epochTime() };
}
