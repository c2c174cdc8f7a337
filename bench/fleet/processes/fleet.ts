import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { Child } from '../../support/child.js';
import { remote, type Remote } from '../../support/remote.js';
import type { FleetIssuer, Rollover } from './issuer.js';
import { epochTime } from './epoch-time.js';
import type { Replica, ReplicaRecord, ReplicaSettings } from './replica.js';

/** Small heaps: forty processes have to fit into a small machine. */
const FLAGS = ['--max-old-space-size=64', '--max-semi-space-size=2'];
/** Processes started at a time. */
const AT_ONCE = 4;
const TOKENS = 20;

/** Milliseconds between automatic refreshes: what takes ten minutes in production takes ten seconds here. */
export const AUTOMATIC_REFRESH_INTERVAL = 10_000;

/** One replica as the bench sees it. */
export interface Member {
  readonly child: Child;
  readonly remote: Remote<Replica>;
  readonly port: number;
}

/** Replicas of one service and their identity provider, all of them real processes. */
export class Fleet implements AsyncDisposable {
  readonly members: Member[] = [];
  readonly prefix = `bench-fleet-${process.pid}-${randomBytes(4).toString('hex')}:`;
  /** The key in use, and the one before. */
  latest: Rollover;
  previous: Rollover;
  /** When all processes had started. */
  startedAt = 0;

  private constructor(
    private readonly issuerProcess: Child,
    readonly issuer: Remote<FleetIssuer>,
    private readonly redis: string | undefined,
    present: Rollover,
  ) {
    this.latest = present;
    this.previous = present;
  }

  /** @param redis without it, each replica asks the issuer for itself */
  static async start(replicas: number, redis: string | undefined): Promise<Fleet> {
    const child = await Child.start(new URL('issuer.js', import.meta.url), [], FLAGS);
    const issuer = remote<FleetIssuer>(child.process);
    const fleet = new Fleet(child, issuer, redis, await issuer.present(TOKENS));
    const integrityKey = randomBytes(32).toString('base64url');
    const settings: ReplicaSettings = {
      issuer: await issuer.url(),
      automaticRefreshInterval: AUTOMATIC_REFRESH_INTERVAL,
      store: redis === undefined ? undefined : { url: redis, prefix: fleet.prefix, integrityKey },
    };
    while (fleet.members.length < replicas) {
      const missing = Math.min(AT_ONCE, replicas - fleet.members.length);
      fleet.members.push(...(await Promise.all(Array.from({ length: missing }, () => join(settings)))));
    }
    fleet.startedAt = epochTime();
    return fleet;
  }

  async rollOver(): Promise<Rollover> {
    // The key before this one is about to go: no user has tokens of it any more.
    this.previous = this.latest;
    this.latest = await this.issuer.rollOver(TOKENS);
    return this.latest;
  }

  /** Kills a replica; it is no member any more. @returns its record */
  async kill(member: Member): Promise<ReplicaRecord> {
    const record = await member.remote.record();
    this.members.splice(this.members.indexOf(member), 1);
    await member.child.end();
    return record;
  }

  records(): Promise<ReplicaRecord[]> {
    return Promise.all(this.members.map((member) => member.remote.record()));
  }

  /** Ends all processes, and leaves nothing in Redis. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [this.issuerProcess, ...this.members.map(({ child }) => child)].map((one) => one.end()),
    );
    if (this.redis !== undefined) await forget(this.redis, this.prefix);
  }
}

async function forget(url: string, prefix: string): Promise<void> {
  const client = new Redis(url);
  try {
    for await (const keys of client.scanStream({ match: `${prefix}*` }))
      if (Array.isArray(keys) && keys.length > 0) await client.del(keys.map(String));
  } finally {
    client.disconnect();
  }
}

async function join(settings: ReplicaSettings): Promise<Member> {
  const module = new URL('replica.js', import.meta.url);
  const child = await Child.start(module, [JSON.stringify(settings)], FLAGS);
  const stub = remote<Replica>(child.process);
  return { child, remote: stub, port: await stub.port() };
}
