import { setTimeout as wait } from 'node:timers/promises';
import {
  Chronicle,
  type Demand,
  type LatencyInQuarters,
  type RolloverResult,
  type Stretch,
} from './chronicle.js';
import { AUTOMATIC_REFRESH_INTERVAL, type Fleet } from './fleet.js';
import { presently } from './presently.js';
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
  const rollovers: [kid: string, stretch: Stretch][] = [];
  for (let done = 0; done < settings.rollovers; done += 1)
    rollovers.push(await rollOver(fleet, settings.gap));
  await fleet.issuer.fail();
  const outage = await lasting(settings.outage);
  await fleet.issuer.recover();
  const comeback = await rollOver(fleet, COMEBACK);
  await users.end();
  const chronicle = await Chronicle.of(fleet, users);
  const whole = { from: calm.from, to: presently() };
  return {
    settings,
    boot: chronicle.demand({ from: 0, to: fleet.startedAt }),
    calm: { ...chronicle.demand(calm), intervals: settings.calmIntervals },
    rollovers: rollovers.map(([kid, stretch]) => chronicle.rollover(kid, stretch)),
    outage: { ...chronicle.demand(outage), seconds: settings.outage / 1000 },
    comeback: chronicle.rollover(...comeback),
    all: chronicle.tally(whole),
    known: chronicle.knownLatency(whole),
    storeFailures: chronicle.storeFailures,
  };
}

/** A rollover, and what comes of it within the given time. */
export async function rollOver(fleet: Fleet, milliseconds: number): Promise<[kid: string, stretch: Stretch]> {
  const from = presently();
  const { kid } = await fleet.rollOver();
  await wait(milliseconds);
  return [kid, { from, to: presently() }];
}

/** Lets time pass. */
export async function lasting(milliseconds: number): Promise<Stretch> {
  const from = presently();
  await wait(milliseconds);
  return { from, to: presently() };
}
