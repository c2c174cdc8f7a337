import { randomUUID } from 'node:crypto';
import { Redis, type RedisOptions } from 'ioredis';
import { AuthConfigurationError } from 'nestjs-resilient-auth';
import { RedisReplayStore } from 'nestjs-resilient-auth/redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { platforms } from '../support/apps/platforms.js';
import { until } from '../support/clock/until.js';
import { PUBLIC_URL, startDpopApi, type DpopApi } from '../support/dpop/dpop-api.js';
import { findRedis, redisToStart } from '../support/redis/find-redis.js';
import { RedisServer } from '../support/redis/redis-server.js';

const redis = await findRedis();
const UNAVAILABLE = { status: 503, code: 'AUTH_REPLAY_STORE_UNAVAILABLE' };

function connect(url: string, options: RedisOptions = {}): Redis {
  const client = new Redis(url, options);
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  return client;
}

/** Two replicas on the two platforms, each with its own connection. */
async function replicas(url: string, options?: RedisOptions): Promise<[DpopApi, DpopApi]> {
  const prefix = `test:${randomUUID()}:`;
  const store = (): RedisReplayStore => new RedisReplayStore({ client: connect(url, options), prefix });
  const first = await startDpopApi({ replay: store() }, { create: platforms[0].create });
  const second = await startDpopApi({ replay: store() }, { create: platforms[1].create, replicaOf: first });
  return [first, second];
}

async function proofFor(api: DpopApi): Promise<{ token: string; proof: string }> {
  const token = await api.token();
  return { token, proof: await api.client.proof({ url: `${PUBLIC_URL}/things`, token }) };
}

describe('the options of RedisReplayStore', () => {
  const client = new Redis({ lazyConnect: true });

  it.each([
    {},
    { client: {} },
    { client, timeout: 9 },
    { client, timeout: 1001 },
    { client, timeout: Number.NaN },
  ])('throws AuthConfigurationError when they are no client or a timeout out of bounds', (options) => {
    expect(() => Reflect.construct(RedisReplayStore, [options])).toThrow(AuthConfigurationError);
  });
});

describe('RedisReplayStore without Redis', () => {
  it('[P3-10] rejects at once, and queues no more, while ten thousand commands wait for an answer', async () => {
    const answers: ((answer: 'OK') => void)[] = [];
    const client = connect('redis://127.0.0.1:1', { lazyConnect: true });
    client.set = () => new Promise<'OK'>((resolve) => answers.push(resolve));
    const store = new RedisReplayStore({ client, timeout: 10 });
    const add = (): Promise<boolean> => store.add('key', Date.now() + 70_000);
    const late = await Promise.allSettled(Array.from({ length: 10_000 }, add));
    expect(late.every(({ status }) => status === 'rejected')).toBe(true);
    await expect(add()).rejects.toThrow('Too many commands wait for Redis');
    expect(answers).toHaveLength(10_000);
    for (const answer of answers) answer('OK');
    await until(() =>
      add().then(
        () => true,
        (error: Error) => !/Too many/.test(error.message),
      ),
    );
    expect(answers).toHaveLength(10_001);
  });
});

describe.skipIf(!redis)('RedisReplayStore', () => {
  const url = redis ?? '';

  it('[P3-9] accepts a proof exactly once when a hundred copies come at once to two replicas', async () => {
    const both = await replicas(url);
    for (const { app } of both) await app.listen(0, '127.0.0.1');
    const sent = await proofFor(both[0]);
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, index) => both[index % 2 === 0 ? 0 : 1].outcome(sent)),
    );
    expect(outcomes.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(outcomes.filter(({ code }) => code === 'AUTH_PROOF_REPLAYED')).toHaveLength(99);
  });

  it('[P3-9] keeps a key a little longer than the proof could be accepted, by any clock of the fleet', async () => {
    const client = connect(url);
    const prefix = `test:${randomUUID()}:`;
    const store = new RedisReplayStore({ client, prefix });
    expect(await store.add('a', Date.now() + 70_000)).toBe(true);
    expect(await store.add('a', Date.now() + 70_000)).toBe(false);
    // Already over by this clock, not yet by that of another replica.
    expect(await store.add('b', Date.now() - 5000)).toBe(true);
    expect(await store.add('b', Date.now() - 5000)).toBe(false);
    const [a, b] = [await client.pttl(`${prefix}proof:a`), await client.pttl(`${prefix}proof:b`)];
    expect([a > 75_000 && a <= 80_000, b > 0 && b <= 5000]).toEqual([true, true]);
    await client.del(`${prefix}proof:a`, `${prefix}proof:b`);
  });

  it('[P3-10] rejects what Redis answers beside OK and nothing', async () => {
    const store = new RedisReplayStore({ client: Object({ set: async () => 'QUEUED' }) });
    await expect(store.add('a', Date.now() + 1000)).rejects.toThrow(/something else/);
  });

  it('[P3-10] keeps the flood of one client apart from the proofs of others', async () => {
    const [api] = await replicas(url);
    const sent = await proofFor(api);
    expect(await api.outcome(sent)).toMatchObject({ status: 200 });
    const flooder = await api.issuer.dpopClient();
    const token = await flooder.sign();
    const flood = Array.from({ length: 50 }, async () => {
      const proof = await flooder.proof({ url: `${PUBLIC_URL}/things`, token });
      return (await api.outcome({ token, proof })).status;
    });
    expect(new Set(await Promise.all(flood))).toEqual(new Set([200]));
    expect(await api.outcome(sent)).toMatchObject({ code: 'AUTH_PROOF_REPLAYED' });
  });
});

// A user's client gives up after twenty attempts by default; here it is the store's own bound that counts.
const PATIENT: RedisOptions = { retryStrategy: () => 50, maxRetriesPerRequest: null };

describe.skipIf(!redisToStart())('a Redis that', () => {
  it.each<[string, (server: RedisServer) => Promise<void>, (server: RedisServer) => Promise<void>]>([
    ['is killed', (server) => server.kill(), (server) => server.start()],
    ['hangs', async (server) => server.pause(), async (server) => server.resume()],
  ])('[P3-10] answers 503 while it %s, never 200, and 200 once it is back', async (_, leave, comeBack) => {
    const server = await RedisServer.start();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const [first, second] = await replicas(server.url, PATIENT);
    expect(await first.outcome()).toMatchObject({ status: 200 });
    await leave(server);
    const [bound, bearer] = [await proofFor(first), await first.issuer.sign()];
    const during = await Promise.all([
      first.outcome(bound),
      second.outcome(bound),
      first.outcome(),
      second.outcome(),
    ]);
    for (const outcome of during) expect(outcome).toMatchObject(UNAVAILABLE);
    // Tokens that need no proof are not affected.
    expect(await first.outcome({ token: bearer, scheme: 'Bearer', proof: null })).toMatchObject({
      status: 200,
    });
    await comeBack(server);
    for (const api of [first, second]) await until(async () => (await api.outcome()).status === 200);
    const again = await proofFor(second);
    expect(await second.outcome(again)).toMatchObject({ status: 200 });
    expect(await first.outcome(again)).toMatchObject({ code: 'AUTH_PROOF_REPLAYED' });
  });

  it('[P3-10] answers 503 when it has no room, and forgets nothing', async () => {
    const server = await RedisServer.start('--maxmemory', '1', '--maxmemory-policy', 'noeviction');
    onTestFinished(() => server[Symbol.asyncDispose]());
    const [api] = await replicas(server.url, PATIENT);
    expect(await api.outcome()).toMatchObject(UNAVAILABLE);
  });
});
