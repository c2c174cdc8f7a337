import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { FleetHistory, type RolloverResult, type Period } from './fleet-history.js';
import { AUTOMATIC_REFRESH_INTERVAL, Fleet } from './fleet.js';
import { OwnRedis } from './own-redis.js';
import { epochTime } from './epoch-time.js';
import type { ReplicaRecord } from './replica.js';
import { lasting, rollOver } from './run.js';
import { Users } from './users.js';

/** Something breaks in the middle of a rollover. */
interface FaultResult {
  readonly title: string;
  readonly story: string;
  readonly rollover: RolloverResult;
  /** The next rollover, when all is well again. */
  readonly after: RolloverResult;
}

/** What one issuer costs Redis when nothing happens but automatic refreshes. */
export interface RedisCost {
  readonly replicas: number;
  /** Automatic refreshes in the meantime. */
  readonly checks: number;
  readonly commands: number;
  readonly bytes: number;
  /** Bytes of all keys. */
  readonly memory: number;
}

export interface FaultResults {
  readonly rows: readonly FaultResult[];
  readonly cost: RedisCost;
  readonly redisVersion: string;
}

const WARM_UP = 3000;
const SHORTLY = 200;
const AFTER = 6000;
/** Without its holder a lease lasts for five seconds. */
const LEASE = 5000;

/** @returns `undefined` without a redis-server that may be broken */
export async function runFaults(
  replicas: number,
  perSecond: number,
  calmIntervals: number,
): Promise<FaultResults | undefined> {
  await using redis = await OwnRedis.start();
  if (!redis) return undefined;
  await using fleet = await Fleet.start(replicas, redis.url);
  const users = new Users(fleet, perSecond);
  await wait(WARM_UP);
  const cost = await measureCost(redis.url, fleet, calmIntervals * AUTOMATIC_REFRESH_INTERVAL);
  const departed: ReplicaRecord[] = [];
  const accounts = [
    await restart(fleet, redis),
    await pause(fleet, redis),
    await killHolder(fleet, departed),
  ];
  await users.end();
  const history = await FleetHistory.of(fleet, users, departed);
  return {
    rows: accounts.map(({ title, story, during, after }) => ({
      title,
      story,
      rollover: history.rollover(...during),
      after: history.rollover(...after),
    })),
    cost: { ...cost.figures, replicas, checks: history.demand(cost.period).refreshes },
    redisVersion: cost.redisVersion,
  };
}

interface Account extends Pick<FaultResult, 'title' | 'story'> {
  readonly during: [kid: string, period: Period];
  readonly after: [kid: string, period: Period];
}

async function restart(fleet: Fleet, redis: OwnRedis): Promise<Account> {
  await redis.stop();
  await wait(SHORTLY);
  const during = await rollOver(fleet, LEASE);
  await redis.start();
  await wait(AFTER);
  return {
    title: 'Redis restarted',
    story:
      'Redis is killed, keys and fence with it; the key rolls over, and five seconds later an empty Redis is there.',
    during,
    after: await rollOver(fleet, AFTER),
  };
}

async function pause(fleet: Fleet, redis: OwnRedis): Promise<Account> {
  redis.pause();
  await wait(SHORTLY);
  const during = await rollOver(fleet, LEASE);
  redis.continue();
  await wait(AFTER);
  return {
    title: 'Redis paused',
    story:
      'Redis stops answering with its connections open (SIGSTOP); the key rolls over, and five seconds later it goes on.',
    during,
    after: await rollOver(fleet, AFTER),
  };
}

async function killHolder(fleet: Fleet, departed: ReplicaRecord[]): Promise<Account> {
  await fleet.issuer.holdKeySet();
  const from = epochTime();
  const { kid } = await fleet.rollOver();
  await fleet.issuer.held();
  for (const member of fleet.members)
    if (await member.remote.isAsking()) departed.push(await fleet.kill(member));
  await fleet.issuer.release();
  await wait(LEASE + AFTER);
  return {
    title: 'Lease holder killed',
    story:
      'The key rolls over, and the replica that asks the issuer for all is killed before its answer comes.',
    during: [kid, { from, to: epochTime() }],
    after: await rollOver(fleet, AFTER),
  };
}

async function measureCost(
  url: string,
  fleet: Fleet,
  milliseconds: number,
): Promise<{ figures: Omit<RedisCost, 'checks' | 'replicas'>; period: Period; redisVersion: string }> {
  const client = new Redis(url);
  try {
    const before = await counters(client);
    const period = await lasting(milliseconds);
    const { commands, bytes, redisVersion } = await counters(client);
    const keys = await client.keys(`${fleet.prefix}*`);
    const sizes = await Promise.all(keys.map((key) => client.memory('USAGE', key)));
    const memory = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    return {
      figures: { commands: commands - before.commands, bytes: bytes - before.bytes, memory },
      period,
      redisVersion,
    };
  } finally {
    client.disconnect();
  }
}

/** Round trips of the store, and bytes in both directions. */
async function counters(client: Redis): Promise<{ commands: number; bytes: number; redisVersion: string }> {
  const info = await client.info('server', 'stats', 'commandstats');
  const figure = (pattern: RegExp): number => Number(pattern.exec(info)?.[1] ?? 0);
  return {
    commands: figure(/cmdstat_eval:calls=(\d+)/) + figure(/cmdstat_evalsha:calls=(\d+)/),
    bytes: figure(/total_net_input_bytes:(\d+)/) + figure(/total_net_output_bytes:(\d+)/),
    redisVersion: /redis_version:(\S+)/.exec(info)?.[1] ?? '',
  };
}
