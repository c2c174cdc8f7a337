import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { AuthConfigurationError } from 'nestjs-resilient-auth';
import { RedisMetadataStore, type RedisMetadataStoreOptions } from 'nestjs-resilient-auth/redis';
import { describe, expect, it } from 'vitest';
import { startIssuer } from '../support/apps/start-api.js';
import { findRedis } from '../support/redis/find-redis.js';
import { Fleet } from '../support/redis/fleet.js';
import { until } from '../support/clock/until.js';

const redis = await findRedis();
const SECRET = 'a secret of the fleet';

describe('the options of RedisMetadataStore', () => {
  const client = new Redis({ lazyConnect: true });

  it.each([
    ['none', {}],
    ['undefined', { integrityKey: undefined }],
    ['an empty text', { integrityKey: '' }],
    ['an empty buffer', { integrityKey: Buffer.alloc(0) }],
    ['an empty list', { integrityKey: [] }],
    ['a list with an empty text in it', { integrityKey: [SECRET, ''] }],
    ['a number', { integrityKey: 42 }],
    ['a letter', { integrityKey: 'x' }],
    ['a space', { integrityKey: ' ' }],
    ['a word', { integrityKey: 'changeme' }],
    ['15 bytes', { integrityKey: Buffer.alloc(15, 1) }],
    ['a list with a word in it', { integrityKey: [SECRET, 'changeme'] }],
  ])('[36] throws AuthConfigurationError when integrityKey is %s', (_, given) => {
    const attempt = (): unknown => Reflect.construct(RedisMetadataStore, [{ client, ...given }]);
    expect(attempt).toThrow(AuthConfigurationError);
    expect(attempt).toThrow(/integrityKey/);
  });

  it('throws AuthConfigurationError when there is no client', () => {
    const attempt = (): unknown => Reflect.construct(RedisMetadataStore, [{ integrityKey: SECRET }]);
    expect(attempt).toThrow(AuthConfigurationError);
    expect(attempt).toThrow(/client/);
  });

  it.each<[string, RedisMetadataStoreOptions['integrityKey']]>([
    ['a text', SECRET],
    ['bytes', new Uint8Array(16)],
    ['16 bytes in 8 letters', 'é'.repeat(8)],
    ['a list', [SECRET, Buffer.from('an older secret of the fleet')]],
    ['null', null],
  ])('accepts %s as integrityKey', (_, integrityKey) => {
    expect(() => new RedisMetadataStore({ client, integrityKey })).not.toThrow();
  });
});

describe.skipIf(!redis)('the integrityKey', () => {
  it('[36] signs with the first key of a list, and accepts all of them', async () => {
    const fleet = await Fleet.gather(redis);
    const [old, fresh] = [randomBytes(32), randomBytes(32)];
    await fleet.join({ integrityKey: [old] });
    const before = await fleet.nextSnapshot();

    const between = await fleet.join({ integrityKey: [fresh, old] });
    expect(between.provider.status().source).toBe('store');
    await between.provider.refreshNow();
    await fleet.nextSnapshot(before);

    const after = await fleet.join({ integrityKey: [fresh] });
    expect(after.provider.status().source).toBe('store');
    const forgotten = await fleet.join({ integrityKey: [old] });
    expect(forgotten.provider.status().source).toBe('issuer');
    expect(forgotten.refusals()).toEqual(['tampered']);
  });

  it('[36] accepts a text and its bytes as the same key', async () => {
    const fleet = await Fleet.gather(redis);
    await fleet.join({ integrityKey: SECRET });
    await fleet.nextSnapshot();
    const late = await fleet.join({ integrityKey: Buffer.from(SECRET) });
    expect(late.provider.status().source).toBe('store');
  });

  it('[36] shares without a signature when it is null, and a replica with a key rejects what is shared', async () => {
    const fleet = await Fleet.gather(redis);
    await fleet.join({ integrityKey: null });
    await fleet.nextSnapshot();
    const trusting = await fleet.join({ integrityKey: null });
    expect(trusting.provider.status().source).toBe('store');
    const careful = await fleet.join();
    expect(careful.provider.status().source).toBe('issuer');
    expect(careful.refusals()).toEqual(['tampered']);
  });
});

describe.skipIf(!redis)('what is kept in Redis', () => {
  it('carries the prefix, one hash tag per issuer and an expiry', async () => {
    const fleet = await Fleet.gather(redis);
    const replica = await fleet.join({
      metadata: { automaticRefreshInterval: '10m', lastKnownGoodLifetime: '1h' },
    });
    await fleet.nextSnapshot();
    await fleet.listening(1);
    await replica.verdict(await fleet.issuer.sign({}, { kid: 'unknown' }));
    const hold = fleet.issuer.hold('jwks');
    const asking = replica.watch(await fleet.issuer.sign({}, { kid: 'another' }));
    await hold.arrived;

    const keys = await fleet.keys();
    const kinds = new Set(keys.map((key) => key.split(':').at(-1)));
    expect(kinds).toEqual(new Set(['snapshot', 'fence', 'budget', 'lease']));
    expect(keys.every((key) => key.startsWith(fleet.prefix))).toBe(true);
    expect(new Set(keys.map(hashTag)).size).toBe(1);
    expect(hashTag(await fleet.channel())).toBe(hashTag(keys[0] ?? ''));
    const lifetimes = await Promise.all(keys.map(async (key) => [key, await fleet.redis.pttl(key)] as const));
    for (const [, lifetime] of lifetimes) expect(lifetime).toBeGreaterThan(0);
    const kept = lifetimes.find(([key]) => key.endsWith(':snapshot'))?.[1];
    expect(kept).toBeGreaterThan(69 * 60_000);
    expect(kept).toBeLessThanOrEqual(70 * 60_000);
    hold.release();
    await asking.settled;
    await until(async () => !(await fleet.keys()).some((key) => key.endsWith(':lease')));
  });

  it('holds what the issuer published, and no secret of the fleet', async () => {
    const fleet = await Fleet.gather(redis);
    const integrityKey = SECRET;
    const replica = await fleet.join({ integrityKey });
    const sealed = await fleet.nextSnapshot();
    const content: Record<string, unknown> = JSON.parse(sealed.slice(sealed.indexOf('.') + 1));
    expect(content).toMatchObject({ issuer: fleet.issuer.url, jwksUri: fleet.issuer.jwksUri });
    expect(JSON.stringify(content['keys'])).toContain(replica.keyIds[0]);
    expect(sealed).not.toMatch(/"(d|p|q|k)":/);
    expect(sealed).not.toContain(integrityKey);
  });

  it('keeps fleets of different prefixes apart', async () => {
    const fleet = await Fleet.gather(redis);
    const first = await fleet.join();
    await fleet.nextSnapshot();
    const stranger = await fleet.join({ prefix: `${fleet.prefix}other:` });
    expect(stranger.provider.status().source).toBe('issuer');
    await until(async () => (await fleet.keys()).filter((key) => key.endsWith(':snapshot')).length === 2);
    await first.provider.refreshNow();
    expect(stranger.emitted('snapshot-received')).toEqual([]);
  });

  it('writes below the keyPrefix of the client, and receives messages there', async () => {
    const fleet = await Fleet.gather(redis);
    const client = { keyPrefix: 'app:' };
    const first = await fleet.join({ client });
    await fleet.nextSnapshot();
    expect((await fleet.keys()).every((key) => key.startsWith(`app:${fleet.prefix}`))).toBe(true);
    const second = await fleet.join({ client });
    expect(second.provider.status().source).toBe('store');
    await fleet.listening(2);
    await fleet.issuer.rotateKeys({ keepOld: true });
    const { kid } = await fleet.issuer.signingKey();
    await first.provider.refreshNow();
    await until(() => second.keyIds.includes(kid));
  });
});

describe.skipIf(!redis)('the client of the application', () => {
  it('stays open when the provider closes, while the connection of the store ends', async () => {
    const fleet = await Fleet.gather(redis);
    const name = `test-${randomBytes(8).toString('hex')}`;
    const connections = async (): Promise<number> =>
      String(await fleet.redis.client('LIST')).split(`name=${name} `).length - 1;
    const replica = await fleet.join({ client: { connectionName: name } });
    await fleet.listening(1);
    expect(await connections()).toBe(2);
    replica.provider.close();
    await until(async () => (await connections()) === 1);
    expect(await replica.client.ping()).toBe('PONG');
    expect(replica.client.listenerCount('error')).toBe(1);
  });

  it('serves several issuers over one store, and closes each by itself', async () => {
    const fleet = await Fleet.gather(redis);
    const other = await startIssuer();
    const first = await fleet.join();
    const shared = () => first.store;
    const second = await fleet.join({ issuer: other, intercept: shared });
    const [ours, theirs] = [await fleet.join(), await fleet.join({ issuer: other })];
    await until(async () => {
      const channels = await fleet.redis.pubsub('CHANNELS', `${fleet.prefix}*`);
      const counts = await fleet.redis.pubsub('NUMSUB', ...channels.map(String));
      return counts.filter((count) => count === 2).length === 2;
    });
    first.provider.close();
    await other.rotateKeys({ keepOld: true });
    const { kid } = await other.signingKey();
    await theirs.provider.refreshNow();
    await until(() => second.keyIds.includes(kid));
    expect(ours.keyIds).not.toContain(kid);
  });

  it.each([
    ['connects when it is needed (lazyConnect)', { lazyConnect: true }],
    ['pipelines by itself (enableAutoPipelining)', { enableAutoPipelining: true }],
    ['never gives a command up (maxRetriesPerRequest: null)', { maxRetriesPerRequest: null }],
    ['gets its numbers as texts (stringNumbers)', { stringNumbers: true }],
    ['does not ask whether Redis is ready (enableReadyCheck: false)', { enableReadyCheck: false }],
    ['does not subscribe again by itself (autoResubscribe: false)', { autoResubscribe: false }],
    ['uses another database', { db: 1 }],
  ])('shares over a client that %s', async (_, client) => {
    const fleet = await Fleet.gather(redis);
    const first = await fleet.join({ client });
    const second = await fleet.join({ client });
    await fleet.listening(2);
    await fleet.issuer.rotateKeys({ keepOld: true });
    const { kid } = await fleet.issuer.signingKey();
    await first.provider.refreshNow();
    await until(() => second.keyIds.includes(kid));
    expect([first, second].map(({ storeState }) => storeState)).toEqual(['ok', 'ok']);
    expect(fleet.attempts()).toBe(2);
    const leftover = await first.client.keys(`*${fleet.prefix}*`);
    if (leftover.length > 0) await first.client.del(...leftover);
  });
});

/** What decides on the slot of a key (Redis Cluster specification, "Hash tags"). */
function hashTag(key: string): string {
  const [, tag = ''] = /\{([^}]+)\}/.exec(key) ?? [];
  expect(tag).not.toBe('');
  return tag;
}
