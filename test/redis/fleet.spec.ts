import { randomBytes, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { MetadataOptions } from 'nestjs-resilient-auth';
import type { TestIssuer } from 'nestjs-resilient-auth/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startIssuer } from '../support/apps/start-api.js';
import { findQuietRedis } from '../support/redis/find-redis.js';
import { ReplicaProgram, type ReplicaProcess } from '../support/redis/replica-processes.js';
import { until } from '../support/clock/until.js';

const redis = await findQuietRedis();
const CLOSED_PORT = 'http://127.0.0.1:9';

/** Services in processes of their own, over HTTP; nothing but Redis connects them. */
describe.skipIf(!redis)('a fleet of processes', () => {
  let program: ReplicaProgram | undefined;

  beforeAll(async () => {
    program = await ReplicaProgram.make();
  });
  afterAll(() => program?.[Symbol.asyncDispose]());

  /** So many replicas, started at the same moment, once all of them listen to each other. */
  async function fleet(
    size: number,
    issuer: TestIssuer,
    metadata: MetadataOptions = {},
    whileStarting: (leases: () => number) => Promise<void> = async () => undefined,
  ): Promise<{ replicas: readonly ReplicaProcess[]; leases: () => number }> {
    const prefix = `test:${randomUUID()}:`;
    const integrityKey = randomBytes(32).toString('hex');
    const outsider = new Redis(redis ?? CLOSED_PORT);
    await outsider.ping();
    const monitor = await outsider.duplicate().monitor();
    const tokens = new Set<string>();
    monitor.on('monitor', (_time, [name, , , lease = '', , budget = '', token = '']: string[]) => {
      if (name === 'eval' && lease.startsWith(prefix) && budget.endsWith(':budget')) tokens.add(token);
    });
    onTestFinished(async () => {
      monitor.disconnect();
      const left = await outsider.keys(`${prefix}*`);
      if (left.length > 0) await outsider.del(...left);
      outsider.disconnect();
    });
    const settings = { issuer: issuer.url, redis: redis ?? CLOSED_PORT, prefix, integrityKey, metadata };
    const starting = Promise.all(Array.from({ length: size }, () => (program ?? never()).start(settings)));
    const leases = (): number => tokens.size;
    await whileStarting(leases);
    const replicas = await starting;
    await until(async () => {
      const [channel = ''] = (await outsider.pubsub('CHANNELS', `${prefix}*`)).map(String);
      const [, listeners] = await outsider.pubsub('NUMSUB', channel);
      return listeners === size;
    });
    return { replicas, leases };
  }

  it('[38] fetches once at start-up and once per rollover, and accepts a new key on every process', async () => {
    const issuer = await startIssuer();
    const loading = issuer.hold('jwks');
    const { replicas, leases } = await fleet(4, issuer, {}, async (asked) => {
      await until(() => asked() === 4);
      loading.release();
    });
    expect(retrievals(issuer)).toBe(1);
    expect(await statuses(replicas, await issuer.sign())).toEqual([200, 200, 200, 200]);

    for (const rollover of [1, 2, 3]) {
      await issuer.rotateKeys({ keepOld: true });
      const token = await issuer.sign();
      const before = leases();
      // The answer comes when all of them want it.
      const refresh = issuer.hold('jwks');
      const answers = statuses(replicas, token);
      await until(() => leases() - before === 4);
      refresh.release();
      expect(await answers).toEqual([200, 200, 200, 200]);
      expect(retrievals(issuer)).toBe(1 + rollover);
    }
    await until(() => sum(replicas, 'refresh-succeeded') === 4);
    expect(sum(replicas, 'refresh-started')).toBe(4);
    expect(sum(replicas, 'refresh-failed')).toBe(0);

    // What one has learnt, all accept: from then on no replica has to ask.
    await issuer.rotateKeys({ keepOld: false });
    const token = await issuer.sign();
    expect(await replicas[0]?.get(token)).toBe(200);
    await until(() => replicas.every((replica) => replica.emitted('metadata-changed') === 5));
    issuer.fail({ mode: 'refuse' });
    expect(await statuses(replicas, token)).toEqual([200, 200, 200, 200]);
    expect(sum(replicas, 'refresh-started')).toBe(5);
  });

  it('[38] accepts the token on another replica within the lease when the holder dies during a refresh', async () => {
    const issuer = await startIssuer();
    // A lease lasts for half of refreshWait: if no replica took over within it, the request would be answered 503.
    const { replicas } = await fleet(2, issuer, { refreshWait: '6s', timeout: '5s' });
    const [holder, other] = replicas;
    if (!holder || !other) throw new Error('There are two');
    await issuer.rotateKeys({ keepOld: true });
    const token = await issuer.sign();
    const hold = issuer.hold('jwks');
    const cutOff = holder.get(token).catch(() => 'cut off');
    await hold.arrived;
    const waiting = other.get(token);
    await holder.kill();
    expect(await cutOff).toBe('cut off');
    hold.release();

    expect(await waiting).toBe(200);
    expect(retrievals(issuer)).toBe(3);
    expect(other.emitted('refresh-failed')).toBe(0);
  });
});

function statuses(replicas: readonly ReplicaProcess[], token: string): Promise<readonly number[]> {
  return Promise.all(replicas.map((replica) => replica.get(token)));
}

function sum(replicas: readonly ReplicaProcess[], event: string): number {
  return replicas.reduce((total, replica) => total + replica.emitted(event), 0);
}

/** Requests for the key set. */
function retrievals(issuer: TestIssuer): number {
  return issuer.requests.filter(({ endpoint }) => endpoint === 'jwks').length;
}

function never(): never {
  throw new Error('There is no such replica');
}
