import { Redis, type RedisOptions } from 'ioredis';
import type { StoreListener } from 'nestjs-resilient-auth';
import { RedisMetadataStore } from 'nestjs-resilient-auth/redis';
import { describe, expect, it, vi, type TestContext } from 'vitest';
import { redisToStart } from '../support/redis/find-redis.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { until } from '../support/clock/until.js';

const ISSUER = 'https://issuer.test';

/** What a watch reports, in order. */
class Ear implements StoreListener {
  readonly reports: string[] = [];

  received(): void {
    this.reports.push('received');
  }

  failed(): void {
    this.reports.push('failed');
  }

  listening(): void {
    this.reports.push('listening');
  }

  troubled(error: Error): void {
    this.reports.push(`troubled: ${error.message}`);
  }

  heard(what: string): number {
    return this.reports.filter((text) => text.startsWith(what)).length;
  }
}

/** A Redis of its own, a user who may do everything there, and a watch with such a client. */
async function setting(
  { onTestFinished: atTheEnd }: TestContext,
  options: RedisOptions = {},
  prepare: (admin: Redis) => Promise<unknown> = async () => undefined,
): Promise<{ admin: Redis; store: RedisMetadataStore; ear: Ear; end: () => void }> {
  const server = await RedisServer.start();
  atTheEnd(() => server[Symbol.asyncDispose]());
  const admin = new Redis(server.url);
  await prepare(admin);
  const client = new Redis(server.url, options);
  for (const connection of [admin, client]) {
    connection.on('error', () => undefined);
    atTheEnd(() => connection.disconnect());
  }
  const store = new RedisMetadataStore({ client, integrityKey: null });
  const ear = new Ear();
  const end = store.watch(ISSUER, ear);
  atTheEnd(end);
  return { admin, store, ear, end };
}

async function save(store: RedisMetadataStore): Promise<void> {
  const lease = await store.acquireLease(ISSUER, { duration: 1000, seen: 0 });
  const found = { issuer: ISSUER, jwksUri: `${ISSUER}/jwks`, keys: [], checkedAt: Date.now() };
  if (!lease.isGranted) throw new Error('The lease was refused');
  await store.save(found, { expiresIn: 60_000, lease });
}

async function connections(admin: Redis): Promise<readonly string[]> {
  return String(await admin.client('LIST'))
    .split('\n')
    .filter((line) => line !== '');
}

async function subscribers(admin: Redis): Promise<readonly string[]> {
  const clients = await connections(admin);
  return clients.filter((line) => /sub=[1-9]/.test(line)).map((line) => /id=(\d+)/.exec(line)?.[1] ?? '');
}

async function cutOff(admin: Redis): Promise<void> {
  for (const id of await subscribers(admin)) await admin.client('KILL', 'ID', id);
}

const MAY = ['ACL', 'SETUSER', 'app', 'on', '>pw', '~*', 'allchannels', '+@all'] as const;

// At the same time: most of it is waiting.
describe.skipIf(!redisToStart()).concurrent('a watch', () => {
  it('[38] reports trouble when it may not subscribe, and works as soon as it may', async (test) => {
    const user = { username: 'app', password: 'pw' };
    const { admin, store, ear } = await setting(test, user, (redis) =>
      redis.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', 'allchannels', '+@all', '-subscribe'),
    );
    await until(() => ear.heard('troubled: NOPERM') > 1);
    expect(ear.heard('listening')).toBe(0);
    await admin.call(...MAY);
    await until(() => ear.heard('listening') === 1);
    await save(store);
    await until(() => ear.heard('received') === 1);
  });

  it('[38] reports trouble when it may no longer subscribe after a reconnection, and ends no process', async (test) => {
    const unhandled = vi.fn<(reason: unknown) => void>();
    process.on('unhandledRejection', unhandled);
    test.onTestFinished(() => void process.off('unhandledRejection', unhandled));
    const user = { username: 'app', password: 'pw', retryStrategy: () => 50 };
    const { admin, ear } = await setting(test, user, (redis) => redis.call(...MAY));
    await until(() => ear.heard('listening') === 1);
    await admin.call(...MAY, '-subscribe');
    await cutOff(admin);
    await until(() => ear.heard('troubled: NOPERM') > 1);
    expect(ear.heard('listening')).toBe(1);
    expect(unhandled).not.toHaveBeenCalled();
    await admin.call(...MAY);
    await until(() => ear.heard('listening') === 2);
  });

  it('[38] reports trouble when a client that never reconnects is cut off, and opens a connection of its own', async (test) => {
    const { admin, store, ear } = await setting(test, { retryStrategy: () => null });
    await until(() => ear.heard('listening') === 1);
    await cutOff(admin);
    await until(() => ear.heard('troubled') > 0);
    await until(() => ear.heard('listening') === 2);
    expect(await subscribers(admin)).toHaveLength(1);
    await save(store);
    await until(() => ear.heard('received') === 1);
  });

  it('opens no connection when it ends while it waits for the next one', async (test) => {
    const { admin, ear, end } = await setting(test, { retryStrategy: () => null });
    // It waits as long, from a later moment, and does not end: once it listens again, the first one would, too.
    const later = await setting(test, { retryStrategy: () => null });
    await until(() => ear.heard('listening') + later.ear.heard('listening') === 2);
    await cutOff(admin);
    await until(() => ear.heard('troubled') > 0);
    end();
    const reports = ear.reports.length;
    await cutOff(later.admin);
    await until(() => later.ear.heard('listening') === 2);
    // That of the test, and the one that the store was given.
    expect(await connections(admin)).toHaveLength(2);
    expect(ear.reports).toHaveLength(reports);
  });

  it('starts listening when the stored snapshot cannot be used', async (test) => {
    const { ear } = await setting(test, {}, async (redis) => {
      const probe = new RedisMetadataStore({ client: redis, integrityKey: null });
      await save(probe);
      const [key = ''] = await redis.keys('*:snapshot');
      await redis.set(key, 'junk');
    });
    await until(() => ear.heard('listening') === 1);
    expect(ear.reports[0]).toContain('not what was saved');
  });
});
