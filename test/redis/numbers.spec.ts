import { describe, expect, it, vi } from 'vitest';
import { findRedis } from '../support/redis/find-redis.js';
import { Fleet } from '../support/redis/fleet.js';
import { until } from '../support/clock/until.js';

const redis = await findRedis();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe.skipIf(!redis)('the number of a lease', () => {
  it.each([
    '9007199254740989',
    '9007199254740991',
    '8000000000000000',
    'inf',
    '-inf',
    '1e400',
    'nan',
    '-1e300',
    '-1',
    'words',
    '',
    `${Date.now() + 2 * DAY}`,
  ])(
    '[37] counts on from the clock when it was overwritten with %s, and the fleet shares',
    async (poison) => {
      const fleet = await Fleet.gather(redis);
      const replicas = await fleet.join3();
      const [first, ...others] = replicas;
      const before = await fleet.nextSnapshot();
      const key = await fleet.key('fence');
      await fleet.redis.set(key, poison);
      await fleet.issuer.rotateKeys({ keepOld: true });
      const { kid } = await fleet.issuer.signingKey();
      await first.provider.refreshNow();
      await until(() => others.every(({ keyIds }) => keyIds.includes(kid)));
      expect(Math.abs(Number(await fleet.redis.get(key)) - Date.now())).toBeLessThan(HOUR);
      expect(fenceOf(await fleet.nextSnapshot(before))).toBeGreaterThan(fenceOf(before));

      await fleet.redis.del(...(await fleet.keys()));
      await fleet.issuer.rotateKeys({ keepOld: true });
      const { kid: next } = await fleet.issuer.signingKey();
      await first.provider.refreshNow();
      await until(() => others.every(({ keyIds }) => keyIds.includes(next)));
      for (const replica of replicas) {
        expect(replica.storeState).toBe('ok');
        expect(replica.emitted('store-failed')).toEqual([]);
        expect(replica.refusals()).toEqual([]);
      }
    },
  );

  it('[37] counts on from a number a little ahead, as after a clock that was set back', async () => {
    const fleet = await Fleet.gather(redis);
    const { store } = await fleet.join();
    await fleet.nextSnapshot();
    const ahead = Date.now() + 23 * HOUR;
    await fleet.redis.set(await fleet.key('fence'), ahead);
    const lease = await store.acquireLease(fleet.issuer.url, { duration: 1000, seen: 0 });
    expect(lease).toMatchObject({ isGranted: true, fence: ahead + 1 });
  });

  it.each([9_007_199_254_740_991, 1e300, Number.NaN, Number.POSITIVE_INFINITY, -1])(
    '[37] ignores %s when a replica has seen that',
    async (seen) => {
      const fleet = await Fleet.gather(redis);
      const { store } = await fleet.join();
      const lease = await store.acquireLease('https://other.test', { duration: 1000, seen });
      expect(lease.isGranted).toBe(true);
      expect(Math.abs(lease.fence - Date.now())).toBeLessThan(HOUR);
    },
  );

  it('[37] counts on from what a replica has seen, after a clock that was set back by days too', async () => {
    const fleet = await Fleet.gather(redis);
    const { store } = await fleet.join();
    const seen = Date.now() + 3 * DAY;
    const lease = await store.acquireLease('https://other.test', { duration: 1000, seen });
    expect(lease).toMatchObject({ isGranted: true, fence: seen + 1 });
  });

  it('[37] keeps the snapshot of a holder when it is overwritten with an impossible number meanwhile', async () => {
    const fleet = await Fleet.gather(redis);
    const { store } = await fleet.join();
    const { issuer } = fleet;
    const before = await fleet.nextSnapshot();
    for (const poison of ['inf', 'nan', 'words', '9007199254740991']) {
      const lease = await store.acquireLease(issuer.url, { duration: 1000, seen: 0 });
      await fleet.redis.set(await fleet.key('fence'), poison);
      const found = { issuer: issuer.url, jwksUri: issuer.jwksUri, keys: [], checkedAt: 0 };
      if (!lease.isGranted) throw new Error('The lease was refused');
      await store.save(found, { expiresIn: HOUR, lease });
      expect(fenceOf(await fleet.nextSnapshot(before))).toBe(lease.fence);
    }
  });

  it('[37] rejects as a failure of the store when Redis answers something else', async () => {
    const fleet = await Fleet.gather(redis);
    const replica = await fleet.join();
    await fleet.nextSnapshot();
    for (const reply of ['PONG', [], [1, 1, 1], [Date.now(), 1, 2 ** 60, 0], [Date.now(), 1, 'x', 0], null]) {
      const answering = vi.spyOn(replica.client, 'eval').mockResolvedValue(reply);
      const lease = replica.store.acquireLease(fleet.issuer.url, { duration: 1000, seen: 0 });
      await expect(lease).rejects.toMatchObject({ name: 'MetadataStoreError', fault: 'unavailable' });
      answering.mockRestore();
    }
    vi.spyOn(replica.client, 'eval').mockResolvedValue([Date.now(), 1, 2 ** 60, 0]);
    await replica.provider.refreshNow();
    expect(replica.provider.status().store).toMatchObject({ state: 'failing' });
    expect(replica.emitted('store-failed')).toMatchObject([
      { operation: 'lease', error: { fault: 'unavailable' } },
    ]);
  });
});

function fenceOf(sealed: string): number {
  const content: { fence: number } = JSON.parse(sealed.slice(sealed.indexOf('.') + 1));
  return content.fence;
}
