import { describe, expect, it, type TestContext } from 'vitest';
import { Fleet, withBefore, type Replica, type ReplicaOptions } from '../support/redis/fleet.js';
import { redisToStart } from '../support/redis/find-redis.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { until } from '../support/clock/until.js';

const REFUSED = 'AUTH_TOKEN_SIGNATURE_INVALID';
/** Connections are sought again without the pauses that a user wants, and commands wait for them. */
const SOON = { client: { retryStrategy: () => 50, maxRetriesPerRequest: null } };

/** A fleet of three with a Redis of its own. */
async function setting(
  { onTestFinished: atTheEnd }: TestContext,
  options: ReplicaOptions = {},
): Promise<{ server: RedisServer; fleet: Fleet; replicas: [Replica, Replica, Replica] }> {
  const server = await RedisServer.start();
  atTheEnd(() => server[Symbol.asyncDispose]());
  const fleet = await Fleet.gather(server.url, atTheEnd);
  return { server, fleet, replicas: await fleet.join3({ ...SOON, ...options }) };
}

/** Ways in which a Redis is away, and how it comes back. */
const outages: readonly [
  string,
  (server: RedisServer) => Promise<void>,
  (server: RedisServer) => Promise<void>,
][] = [
  ['is killed', (server) => server.kill(), (server) => server.start()],
  ['hangs', async (server) => server.pause(), async (server) => server.resume()],
];

// At the same time: most of it is waiting for the second that a store is given.
describe.skipIf(!redisToStart()).concurrent('replicas in trouble with Redis', () => {
  it.for(outages)(
    '[37] accepts valid tokens, known keys without delay, when Redis %s, and shares again afterwards',
    async ([, leave, comeBack], test) => {
      const { server, fleet, replicas } = await setting(test);
      const traffic = new Traffic(replicas);
      traffic.show(await fleet.issuer.sign());
      await until(() => traffic.accepted > 100);

      await leave(server);
      const unknown = await fleet.issuer.sign({}, { kid: 'unknown' });
      const waiting = replicas.map((replica) => replica.watch(unknown));
      for (const replica of replicas) {
        expect(await replica.verdict(await fleet.issuer.sign())).toBe('accepted');
      }
      // These wait for the store, and for the issuer after it.
      expect(waiting.map(({ outcome }) => outcome)).toEqual([undefined, undefined, undefined]);
      for (const request of waiting) expect(await request.settled).toBe(REFUSED);
      await fleet.issuer.rotateKeys({ keepOld: true });
      const duringOutage = await fleet.issuer.sign();
      traffic.show(duringOutage);
      for (const replica of replicas) expect(await replica.verdict(duringOutage)).toBe('accepted');
      for (const replica of replicas) {
        expect(replica.emitted('store-failed')).toHaveLength(1);
        expect(replica.storeState).toBe('failing');
      }

      await comeBack(server);
      await fleet.listening(3);
      await Promise.all(replicas.map((replica) => recovers(fleet, replica)));
      for (const replica of replicas) {
        expect(replica.emitted('store-recovered')).toHaveLength(1);
        expect(replica.storeState).toBe('ok');
      }
      await expectOneRefreshForAll(fleet, replicas);
      await traffic.end();
      expect(traffic.refusals).toEqual([]);
    },
  );

  it('[37] calls Redis once per interval when it hangs, so that later requests do not wait', async (test) => {
    const { server, fleet } = await setting(test);
    let asked = 0;
    const count = async (): Promise<void> => void asked++;
    const replica = await fleet.join({
      metadata: { refreshInterval: '1h' },
      intercept: (store) => withBefore(store, { load: count, acquireLease: count }),
    });
    server.pause();
    test.onTestFinished(() => server.resume());
    asked = 0;
    for (let i = 0; i < 3; i++) {
      await fleet.issuer.rotateKeys({ keepOld: true });
      expect(await replica.verdict(await fleet.issuer.sign())).toBe('accepted');
    }
    expect(asked).toBe(1);
    expect(replica.emitted('store-failed')).toHaveLength(1);
  });

  it('[37] starts when Redis is away, and joins the fleet later', async (test) => {
    const { server, fleet } = await setting(test);
    await server.kill();
    const late = await fleet.join(SOON);
    expect(late.provider.status()).toMatchObject({ state: 'fresh', source: 'issuer' });
    expect(late.storeState).toBe('failing');
    expect(await late.verdict(await fleet.issuer.sign())).toBe('accepted');
    await server.start();
    await fleet.listening(4);
    await recovers(fleet, late);
    expect(late.storeState).toBe('ok');
  });

  it('[37] starts when Redis hangs', async (test) => {
    const { server, fleet } = await setting(test);
    server.pause();
    test.onTestFinished(() => server.resume());
    const late = await fleet.join();
    expect(await late.verdict(await fleet.issuer.sign())).toBe('accepted');
    expect(late.provider.status()).toMatchObject({ state: 'fresh', source: 'issuer' });
  });

  it('[38] reports Redis as recovered when no request has needed it', async (test) => {
    const { server, fleet, replicas } = await setting(test);
    await server.kill();
    await until(() => replicas.every(({ storeState }) => storeState === 'failing'));
    await server.start();
    await fleet.listening(3);
    await until(() => replicas.every(({ storeState }) => storeState === 'ok'), 1000);
  });

  it('[38] shares what a replica found meanwhile when Redis comes back', async (test) => {
    const { server, fleet, replicas } = await setting(test);
    const [first, ...others] = replicas;
    await server.kill();
    await fleet.issuer.rotateKeys({ keepOld: false });
    const token = await fleet.issuer.sign();
    expect(await first.verdict(token)).toBe('accepted');
    await server.start();
    await fleet.listening(3);
    await recovers(fleet, first);
    await until(() => others.every(({ keyIds }) => keyIds.includes(kidOf(token))));
    const late = await fleet.join();
    expect(late.provider.status().source).toBe('store');
  });

  it('[38] accepts every token when Redis is flushed under load, and shares again afterwards', async (test) => {
    const { fleet, replicas } = await setting(test);
    const traffic = new Traffic(replicas);
    traffic.show(await fleet.issuer.sign());
    for (let flush = 0; flush < 4; flush++) {
      const flushing = fleet.redis.flushall();
      await fleet.issuer.rotateKeys({ keepOld: true });
      const token = await fleet.issuer.sign();
      traffic.show(token);
      for (const replica of replicas) expect(await replica.verdict(token)).toBe('accepted');
      await flushing;
    }
    await fleet.redis.flushall();
    await expectOneRefreshForAll(fleet, replicas);
    await traffic.end();
    expect(traffic.refusals).toEqual([]);
    expect(replicas.flatMap((replica) => replica.emitted('store-failed'))).toEqual([]);
    const late = await fleet.join();
    expect(late.provider.status().source).toBe('store');
  });

  it('[38] takes no lease for commands that waited for Redis to come back', async (test) => {
    const { server, fleet, replicas } = await setting(test, { metadata: { refreshInterval: '1h' } });
    await server.kill();
    await Promise.all(replicas.map(({ provider }) => provider.refreshNow()));
    await server.start();
    // Everything queued before this has been executed when it is answered.
    for (const { client } of replicas) expect(await client.ping()).toBe('PONG');
    expect((await fleet.keys()).filter((key) => key.endsWith(':lease'))).toEqual([]);
  });

  it('[38] takes no lease for commands that waited when Redis was away since before the start', async (test) => {
    const { server, fleet } = await setting(test);
    await server.kill();
    const late = await fleet.join(SOON);
    const calls = fleet.issuer.requests.length;
    // Until the store is asked again: then it takes its second.
    await until(async () => {
      const begin = performance.now();
      await late.provider.refreshNow();
      return performance.now() - begin > 900;
    });
    expect(fleet.issuer.requests.length).toBeGreaterThan(calls);
    await server.start();
    expect(await late.client.ping()).toBe('PONG');
    expect((await fleet.keys()).filter((key) => key.endsWith(':lease'))).toEqual([]);
  });

  it('[38] takes no lease for commands that waited while Redis hung', async (test) => {
    const { server, fleet, replicas } = await setting(test, { metadata: { refreshInterval: '1h' } });
    const before = await fleet.redis.get(await fleet.key('fence'));
    server.pause();
    await Promise.all(replicas.map(({ provider }) => provider.refreshNow()));
    server.resume();
    for (const { client } of replicas) expect(await client.ping()).toBe('PONG');
    expect((await fleet.keys()).filter((key) => key.endsWith(':lease'))).toEqual([]);
    expect(await fleet.redis.get(await fleet.key('fence'))).toBe(before);
  });

  it('[37] accepts valid tokens when Redis refuses to write, as a replica without its primary', async (test) => {
    const { fleet, replicas } = await setting(test);
    await fleet.redis.config('SET', 'min-replicas-to-write', '1');
    await fleet.issuer.rotateKeys({ keepOld: false });
    const token = await fleet.issuer.sign();
    for (const replica of replicas) expect(await replica.verdict(token)).toBe('accepted');
    expect(replicas.every(({ storeState }) => storeState === 'failing')).toBe(true);
    await fleet.redis.config('SET', 'min-replicas-to-write', '0');
    await recovers(fleet, replicas[0]);
  });
});

/** Requests to all replicas, until stopped. */
class Traffic {
  readonly refusals: string[] = [];
  accepted = 0;
  readonly #tokens: string[] = [];
  readonly #isOver: Promise<unknown>;
  #goesOn = true;

  constructor(replicas: readonly Replica[]) {
    this.#isOver = Promise.all(replicas.map((replica) => this.#drive(replica)));
  }

  show(token: string): void {
    this.#tokens.push(token);
  }

  async end(): Promise<void> {
    this.#goesOn = false;
    await this.#isOver;
  }

  async #drive(replica: Replica): Promise<void> {
    while (this.#goesOn) {
      for (const token of this.#tokens) {
        const outcome = await replica.verdict(token);
        if (outcome === 'accepted') this.accepted++;
        else this.refusals.push(outcome);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

/** A replica finds that its store works again, by asking. */
async function recovers({ issuer }: Fleet, replica: Replica): Promise<void> {
  await until(async () => {
    await replica.verdict(await issuer.sign({}, { kid: `unknown-${Math.random()}` }));
    return replica.storeState === 'ok';
  });
}

/** One replica learns of a key, and the others hear of it. */
async function expectOneRefreshForAll(fleet: Fleet, replicas: readonly Replica[]): Promise<void> {
  await fleet.issuer.rotateKeys({ keepOld: true });
  const token = await fleet.issuer.sign();
  const [first] = replicas;
  const before = fleet.attempts();
  expect(await first?.verdict(token)).toBe('accepted');
  await until(() => replicas.every(({ keyIds }) => keyIds.includes(kidOf(token))));
  expect(fleet.attempts() - before).toBe(1);
}

function kidOf(token: string): string {
  const [head = ''] = token.split('.', 1);
  const header: { kid: string } = JSON.parse(Buffer.from(head, 'base64url').toString());
  return header.kid;
}
