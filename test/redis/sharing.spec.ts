import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../lib/time/clock.js';
import { findRedis } from '../support/redis/find-redis.js';
import { Fleet, withBefore, type Replica } from '../support/redis/fleet.js';
import { until } from '../support/clock/until.js';

const redis = await findRedis();
const REFUSED = 'AUTH_TOKEN_SIGNATURE_INVALID';
const MINUTE = 60_000;

describe.skipIf(!redis)('replicas that share a Redis', () => {
  it('[38] fetches once when all of them start, and serves the same keys', async () => {
    const fleet = await Fleet.gather(redis);
    const replicas = await fleet.join3();
    const token = await fleet.issuer.sign();
    for (const replica of replicas) expect(await replica.verdict(token)).toBe('accepted');
    expect(replicas.map(({ provider }) => provider.status().state)).toEqual(['fresh', 'fresh', 'fresh']);
    expect(fleet.attempts()).toBe(1);
    expect(fleet.retrievals()).toBe(1);
  });

  it('[38] fetches once per interval', async () => {
    const fleet = await Fleet.gather(redis);
    const replicas = await fleet.join3({ metadata: { automaticRefreshInterval: '1s' } });
    await until(() => fleet.retrievals() >= 3);
    const started = replicas.map((replica) => replica.emitted('refresh-started').length);
    const total = started.reduce((sum, count) => sum + count, 0);
    // Each replica on its own would have asked as often as all of them have.
    expect(total).toBeLessThanOrEqual(4);
    expect(replicas.flatMap((replica) => replica.emitted('refresh-failed'))).toEqual([]);
  });

  it('[36] serves from the snapshot in Redis when a replica starts while the issuer is down', async () => {
    const fleet = await Fleet.gather(redis);
    await fleet.join();
    await fleet.nextSnapshot();
    fleet.issuer.fail({ mode: 'refuse' });
    const late = await fleet.join();
    expect(await late.verdict(await fleet.issuer.sign())).toBe('accepted');
    expect(late.provider.status()).toMatchObject({ state: 'fresh', source: 'store' });
    expect(late.emitted('refresh-started')).toEqual([]);
  });

  it('[39] counts the age of a snapshot from its retrieval, not from its load', async () => {
    const fleet = await Fleet.gather(redis);
    const first = await fleet.join();
    await fleet.nextSnapshot();
    const checkedAt = ({ provider }: Replica): number => provider.status().checkedAt?.getTime() ?? 0;
    await until(() => Date.now() - checkedAt(first) > 600);
    const late = await fleet.join();
    expect(Math.abs(checkedAt(late) - checkedAt(first))).toBeLessThan(400);
  });

  it('[38] withdraws a key everywhere by the message, cached results included', async () => {
    const fleet = await Fleet.gather(redis);
    const replicas = await fleet.join3();
    const token = await fleet.issuer.sign();
    for (const replica of replicas) expect(await replica.verdict(token)).toBe('accepted');
    await fleet.issuer.rotateKeys({ keepOld: false });
    const [first, ...others] = replicas;
    const before = fleet.retrievals();
    await first.provider.refreshNow();
    await until(() => others.every(({ keyIds }) => !keyIds.includes(kidOf(token))));
    for (const replica of replicas) expect(await replica.verdict(token)).toBe(REFUSED);
    for (const other of others) expect(other.emitted('refresh-started').length).toBeLessThanOrEqual(1);
    // Read twice, since a key was gone; no other replica asked at all.
    expect(fleet.retrievals() - before).toBe(2);
  });

  it('[20b] accepts a withdrawn key everywhere when the issuer rolls back', async () => {
    const fleet = await Fleet.gather(redis);
    const replicas = await fleet.join3();
    const token = await fleet.issuer.sign();
    const { keys }: { keys: unknown[] } = JSON.parse(await (await fetch(fleet.issuer.jwksUri)).text());
    await fleet.issuer.rotateKeys({ keepOld: false });
    await replicas[0].provider.refreshNow();
    await until(() => replicas.every(({ keyIds }) => !keyIds.includes(kidOf(token))));
    for (const replica of replicas) expect(await replica.verdict(token)).toBe(REFUSED);
    for (const jwk of keys) fleet.issuer.publishRaw(jwk);
    for (const replica of replicas) await until(async () => (await replica.verdict(token)) === 'accepted');
  });

  it('[38] keeps to the budget of the fleet when all of them are flooded with unknown keys', async () => {
    const fleet = await Fleet.gather(redis);
    const budget = { refreshBurst: 2, refreshInterval: '5s', refreshWait: 200, timeout: '5s' } as const;
    const replicas = [...(await fleet.join3({ metadata: budget })), await fleet.join({ metadata: budget })];
    const known = await fleet.issuer.sign();
    const spent = await flood(fleet, replicas, 6);
    // Four replicas with two each in hand, and a fleet with four; one more drips in every 2.5 seconds.
    expect(spent.attempts).toBeGreaterThanOrEqual(2);
    expect(spent.attempts).toBeLessThanOrEqual(4 + Math.ceil(spent.seconds / 2.5));
    for (const replica of replicas) expect(await replica.verdict(known)).toBe('accepted');
  });

  it('[38] keeps to the budget of the fleet when it refills more slowly than an exchange may take', async () => {
    const fleet = await Fleet.gather(redis);
    const budget = { refreshBurst: 1, refreshInterval: '1h', refreshWait: '2s', timeout: 300 } as const;
    const replicas = [...(await fleet.join3({ metadata: budget })), await fleet.join({ metadata: budget })];
    const spent = await flood(fleet, replicas, 2);
    expect(spent.attempts).toBeLessThanOrEqual(2);
  });

  it('[38] fetches once per rollover when the answer comes between a look at the store and the lease', async () => {
    const fleet = await Fleet.gather(redis);
    const first = await fleet.join();
    const before = await fleet.nextSnapshot();
    let rehearse = async (): Promise<void> => undefined;
    let turns = 0;
    const late = await fleet.join({
      intercept: (store) => withBefore(store, { acquireLease: () => rehearse() }),
    });
    await fleet.listening(2);
    await fleet.issuer.rotateKeys({ keepOld: true });
    const token = await fleet.issuer.sign();
    rehearse = async () => {
      expect(await first.verdict(token)).toBe('accepted');
      await fleet.nextSnapshot(before);
      turns++;
    };
    expect(await late.verdict(token)).toBe('accepted');
    await until(() => turns === 1 && late.provider.status().waiting === 0);
    // Its attempt is over when the next one can no longer be joined.
    await late.provider.refreshNow();
    const own = late.events.filter(
      (event) => event.type === 'refresh-started' && event.trigger !== 'operator',
    );
    expect(own).toEqual([]);
  });

  it('[38] shares snapshots between clocks ten minutes apart', async () => {
    const fleet = await Fleet.gather(redis);
    const [early, late] = await Promise.all([
      fleet.join({ clock: new ShiftedClock(-5 * MINUTE) }),
      fleet.join({ clock: new ShiftedClock(5 * MINUTE) }),
    ]);
    await fleet.listening(2);
    expect(fleet.attempts()).toBe(1);
    for (const [asking, hearing] of [
      [early, late],
      [late, early],
    ] as const) {
      await fleet.issuer.rotateKeys({ keepOld: true });
      const { kid } = await fleet.issuer.signingKey();
      await asking.provider.refreshNow();
      await until(() => hearing.keyIds.includes(kid));
      expect(hearing.provider.status()).toMatchObject({ state: 'fresh', source: 'store' });
      expect(hearing.refusals()).toEqual([]);
    }
    expect(fleet.attempts()).toBe(3);
    const newcomer = await fleet.join({ clock: new ShiftedClock(10 * MINUTE) });
    expect(newcomer.provider.status()).toMatchObject({ state: 'fresh', source: 'store' });
  });
});

/** Wrong by so much; it runs at the same speed. */
class ShiftedClock extends SystemClock {
  constructor(private readonly shift: number) {
    super();
  }

  override now(): number {
    return super.now() + this.shift;
  }
}

/** Shows each replica so many unknown keys. */
async function flood(
  fleet: Fleet,
  replicas: readonly Replica[],
  rounds: number,
): Promise<{ attempts: number; seconds: number }> {
  const before = fleet.attempts();
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    // One after the other: those who ask at the same time share one refresh anyway.
    for (const [index, replica] of replicas.entries()) {
      const outcome = await replica.verdict(
        await fleet.issuer.sign({}, { kid: `unknown-${round}-${index}` }),
      );
      expect([REFUSED, 'AUTH_METADATA_UNAVAILABLE']).toContain(outcome);
    }
  }
  return { attempts: fleet.attempts() - before, seconds: (performance.now() - start) / 1000 };
}

function kidOf(token: string): string {
  const header: { kid: string } = JSON.parse(
    Buffer.from(token.split('.', 1).join(''), 'base64url').toString(),
  );
  return header.kid;
}
