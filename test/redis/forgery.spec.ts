import { createHmac } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { startIssuer } from '../support/apps/start-api.js';
import { findRedis } from '../support/redis/find-redis.js';
import { Fleet, type Replica } from '../support/redis/fleet.js';
import { until } from '../support/clock/until.js';

const redis = await findRedis();
const REFUSED = 'AUTH_TOKEN_SIGNATURE_INVALID';

/** An attacker who can write to Redis, and has a key pair of their own. */
class Forger {
  private constructor(
    readonly fleet: Fleet,
    private readonly privateJwk: JWK,
    private readonly publicJwk: JWK,
  ) {}

  static async of(fleet: Fleet): Promise<Forger> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const named = { kid: 'forged', alg: 'ES256', use: 'sig' };
    const [secret, open] = await Promise.all([exportJWK(privateKey), exportJWK(publicKey)]);
    return new Forger(fleet, { ...secret, ...named }, { ...open, ...named });
  }

  /** A token that verifies with the forged key. */
  token(): Promise<string> {
    return this.fleet.issuer.sign({}, { kid: 'forged', key: this.privateJwk });
  }

  /** A snapshot of the near future with the forged key in it, made out of a genuine one. */
  content(genuine: string): string {
    const text = genuine.slice(genuine.indexOf('.') + 1);
    const snapshot: { keys: JWK[]; fence: number; checkedAt: number } = JSON.parse(text);
    const { keys, fence, checkedAt } = snapshot;
    return JSON.stringify({
      ...snapshot,
      keys: [...keys, this.publicJwk],
      fence: fence + 1000,
      checkedAt: checkedAt + 10_000,
      isDoubleChecked: true,
    });
  }
}

const seal = (key: string, text: string): string =>
  createHmac('sha256', key).update('nestjs-resilient-auth snapshot 1\n').update(text).digest('base64url');
const sealOf = (sealed: string): string => sealed.slice(0, sealed.indexOf('.'));

/** How to pass a text off as a snapshot of the fleet, and what it is called. */
const forgeries: readonly [string, (forger: Forger, genuine: string) => string, string][] = [
  [
    'sealed with another key',
    (forger, genuine) => {
      const text = forger.content(genuine);
      return `${seal('another key', text)}.${text}`;
    },
    'tampered',
  ],
  ['under a genuine seal', (forger, genuine) => `${sealOf(genuine)}.${forger.content(genuine)}`, 'tampered'],
  ['that says it has no seal', (forger, genuine) => `-.${forger.content(genuine)}`, 'tampered'],
  ['with an empty seal', (forger, genuine) => `.${forger.content(genuine)}`, 'tampered'],
  [
    'with half of a seal',
    (forger, genuine) => `${sealOf(genuine).slice(0, 20)}.${forger.content(genuine)}`,
    'tampered',
  ],
  [
    'with nothing but its text',
    (forger, genuine) => forger.content(genuine).replaceAll('.', ''),
    'malformed',
  ],
  ['of junk', () => '\u0000\uFFFF', 'malformed'],
  ['of nothing', () => '', 'malformed'],
  ['of many megabytes', () => `${'A'.repeat(43)}.${'x'.repeat(5 * 1024 * 1024)}`, 'malformed'],
];

describe.skipIf(!redis)('a forged snapshot', () => {
  it.each(forgeries)(
    '[36] rejects and overwrites a snapshot %s that was written into Redis',
    async (_, forge, fault) => {
      const fleet = await Fleet.gather(redis);
      const running = await fleet.join();
      const forger = await Forger.of(fleet);
      const genuine = await fleet.nextSnapshot();
      const forged = forge(forger, genuine);
      await fleet.redis.set(await fleet.key('snapshot'), forged, 'KEEPTTL');

      const cold = await fleet.join();
      expect(cold.refusals()).toEqual([fault]);
      expect(cold.provider.status()).toMatchObject({ source: 'issuer', store: { state: 'ok' } });
      for (const replica of [running, cold])
        expect(await replica.verdict(await forger.token())).toBe(REFUSED);
      expect(await cold.verdict(await fleet.issuer.sign())).toBe('accepted');
      expect(sealOf(await fleet.nextSnapshot(forged))).not.toBe('');
      const late = await fleet.join();
      expect(late.refusals()).toEqual([]);
      expect(late.provider.status().source).toBe('store');
    },
  );

  it.each(forgeries)('[36] rejects a snapshot %s that was published to all', async (_, forge, fault) => {
    const fleet = await Fleet.gather(redis);
    const replica = await fleet.join();
    const forger = await Forger.of(fleet);
    const genuine = await fleet.nextSnapshot();
    await fleet.listening(1);
    await fleet.redis.publish(await fleet.channel(), forge(forger, genuine));
    await until(() => replica.refusals().length > 0);
    expect(replica.refusals()).toEqual([fault]);
    expect(replica.keyIds).not.toContain('forged');
    expect(await replica.verdict(await forger.token())).toBe(REFUSED);
    expect(await replica.verdict(await fleet.issuer.sign())).toBe('accepted');
    expect(replica.storeState).toBe('ok');
  });

  it('[36] emits one event when it comes fifty times', async () => {
    const fleet = await Fleet.gather(redis);
    const replica = await fleet.join();
    await fleet.listening(1);
    for (let i = 0; i < 50; i++) await fleet.redis.publish(await fleet.channel(), `forged.${i}`);
    await heard(fleet, replica);
    expect(replica.refusals().filter((fault) => fault === 'tampered')).toHaveLength(1);
  });

  it('[36] rejects a snapshot of another issuer in the place of this one', async () => {
    const fleet = await Fleet.gather(redis);
    await fleet.join();
    const genuine = await fleet.nextSnapshot();
    const before = await fleet.key('snapshot');
    const other = await startIssuer();
    const running = await fleet.join({ issuer: other });
    await until(async () => (await snapshotsOf(fleet)).length === 2);
    const place = (await snapshotsOf(fleet)).find((key) => key !== before) ?? '';
    await fleet.redis.set(place, genuine, 'KEEPTTL');
    const cold = await fleet.join({ issuer: other });
    expect(cold.refusals()).toEqual(['wrong-issuer']);
    expect(cold.keyIds).toEqual(running.keyIds);
  });

  it('[36] rejects a failure notice as a snapshot, and a snapshot as a notice', async () => {
    const fleet = await Fleet.gather(redis);
    const [first, second] = await fleet.join3();
    const overheard = await fleet.overhear();
    fleet.issuer.fail({ mode: { status: 503 } });
    await first.provider.refreshNow().catch(() => undefined);
    await until(() => overheard.length === 1);
    const [notice = ''] = overheard;
    expect(notice[0]).toBe('!');
    await fleet.redis.publish(await fleet.channel(), notice.slice(1));
    await until(() => second.refusals().length === 1);
    await fleet.redis.publish(await fleet.channel(), `!${await fleet.snapshot()}`);
    await until(() => second.refusals().length === 2);
    expect(second.refusals()).toEqual(['tampered', 'tampered']);
  });
});

describe.skipIf(!redis)('an older genuine snapshot', () => {
  it('[37a] keeps the newer one in a running replica when it is written into Redis or published again', async () => {
    const fleet = await Fleet.gather(redis);
    const replicas = await fleet.join3();
    const withdrawn = await fleet.issuer.sign();
    const older = await fleet.nextSnapshot();
    await fleet.issuer.rotateKeys({ keepOld: false });
    const { kid } = await fleet.issuer.signingKey();
    await replicas[0].provider.refreshNow();
    await fleet.nextSnapshot(older);
    await until(() => replicas.every(({ keyIds }) => keyIds.includes(kid) && keyIds.length === 1));

    await fleet.redis.set(await fleet.key('snapshot'), older, 'KEEPTTL');
    for (let i = 0; i < 3; i++) await fleet.redis.publish(await fleet.channel(), older);
    await heard(fleet, ...replicas);
    for (const replica of replicas) {
      // It looks into Redis before it asks the issuer.
      expect(await replica.verdict(withdrawn)).toBe(REFUSED);
      expect(replica.keyIds).toEqual([kid]);
    }
  });

  it('[37a] serves a cold replica until the next check, with its own age', async () => {
    const fleet = await Fleet.gather(redis);
    const first = await fleet.join();
    const older = await fleet.nextSnapshot();
    await fleet.issuer.rotateKeys({ keepOld: false });
    const token = await fleet.issuer.sign();
    expect(await first.verdict(token)).toBe('accepted');
    await fleet.nextSnapshot(older);
    await fleet.redis.set(await fleet.key('snapshot'), older, 'KEEPTTL');

    const cold = await fleet.join();
    expect(cold.provider.status().source).toBe('store');
    const dates = [first, cold].map(({ provider }) => provider.status().checkedAt?.getTime() ?? 0);
    expect(dates[1]).toBeLessThan(dates[0] ?? 0);
    expect(await cold.verdict(token)).toBe('accepted');
    expect(cold.keyIds).toEqual([kidOf(token)]);
    expect(await fleet.nextSnapshot(older)).not.toBe(older);
  });

  it('[37a] keeps the newer one, even if the numbers in Redis were forged when it was made', async () => {
    const fleet = await Fleet.gather(redis);
    const early = await fleet.join();
    await fleet.nextSnapshot();
    const withdrawn = await fleet.issuer.sign();
    // As far ahead as is believed.
    const ahead = Date.now() + 23 * 3_600_000;
    await fleet.redis.set(await fleet.key('fence'), ahead);
    await early.provider.refreshNow();
    await until(async () => (await fleet.snapshot()).includes(String(ahead + 1)));
    const older = await fleet.snapshot();
    // Checks less than a second apart are distinguished by their numbers alone.
    const { checkedAt } = early.provider.status();
    await until(() => Date.now() - Number(checkedAt) > 1100);
    // A new release: no replica is left that has seen that number.
    early.provider.close();
    await fleet.redis.del(...(await fleet.keys()));
    await fleet.issuer.rotateKeys({ keepOld: false });
    const replica = await fleet.join();
    await fleet.listening(1);
    await fleet.redis.publish(await fleet.channel(), older);
    await heard(fleet, replica);
    expect(await replica.verdict(withdrawn)).toBe(REFUSED);
  });
});

describe.skipIf(!redis)('a failure notice', () => {
  const ASKED = { status: 503, retryAfter: 30 } as const;

  it('[38] stops the calls of the fleet for as long as the issuer asked', async () => {
    const fleet = await Fleet.gather(redis);
    const [first, second] = await fleet.join3();
    fleet.issuer.fail({ mode: ASKED });
    await first.provider.refreshNow().catch(() => undefined);
    const calls = fleet.issuer.requests.length;
    const unknown = await fleet.issuer.sign({}, { kid: 'unknown' });
    await heard(fleet, second);
    const refused = second.watch(unknown);
    expect(await refused.settled).toBe('AUTH_METADATA_UNAVAILABLE');
    expect(refused.retryAfter).toBeGreaterThan(20);
    expect(fleet.issuer.requests).toHaveLength(calls);
  });

  it.each([
    ['forged', (notice: string) => `!${seal('another key', notice.slice(45))}.${notice.slice(45)}`],
    ['without a seal', (notice: string) => `!-.${notice.slice(45)}`],
    [
      'with a number of its own',
      (notice: string) => notice.replace(/"fence":\d+/, '"fence":8000000000000000'),
    ],
    ['of junk', () => '!'],
  ])('[38] emits an event and changes nothing else when it comes %s', async (_, forge) => {
    const { fleet, first, second, notice } = await afterAFailure();
    await fleet.redis.publish(await fleet.channel(), forge(notice));
    for (const replica of [first, second]) {
      await until(() => replica.refusals().length === 1);
      await expectNoBackoff(fleet, replica);
    }
  });

  it('[38] changes nothing when it is replayed to replicas that have received it', async () => {
    const { fleet, first, second, notice } = await afterAFailure();
    for (let i = 0; i < 3; i++) await fleet.redis.publish(await fleet.channel(), notice);
    await heard(fleet, first, second);
    for (const replica of [first, second]) await expectNoBackoff(fleet, replica);
  });

  it('[38] changes nothing when it is replayed to a replica that started later', async () => {
    const { fleet, notice } = await afterAFailure();
    const late = await fleet.join();
    await fleet.listening(3);
    await fleet.redis.publish(await fleet.channel(), notice);
    await heard(fleet, late);
    await expectNoBackoff(fleet, late);
  });

  /** A fleet of two that has recovered from a failure, and what was said of that. */
  async function afterAFailure(): Promise<{ fleet: Fleet; first: Replica; second: Replica; notice: string }> {
    const fleet = await Fleet.gather(redis);
    const [first, second] = [await fleet.join(), await fleet.join()];
    await fleet.listening(2);
    const overheard = await fleet.overhear();
    fleet.issuer.fail({ mode: ASKED });
    await first.provider.refreshNow().catch(() => undefined);
    await until(() => overheard.length === 1);
    const [notice = ''] = overheard;
    fleet.issuer.recover();
    const before = await fleet.snapshot();
    await first.provider.refreshNow();
    await fleet.nextSnapshot(before);
    await until(() => second.emitted('snapshot-received').length === 2);
    return { fleet, first, second, notice };
  }

  async function expectNoBackoff(fleet: Fleet, replica: Replica): Promise<void> {
    await fleet.issuer.rotateKeys({ keepOld: true });
    expect(await replica.verdict(await fleet.issuer.sign())).toBe('accepted');
  }
});

describe.skipIf(!redis)('an attacker who can write to Redis', () => {
  const UNENDING = 3_600_000;

  it.each([
    ['takes the lease without end', 'lease', String(UNENDING)],
    ['empties the budget of the fleet', 'budget', '8000000000000000'],
    ['puts words in place of the numbers', 'fence', 'words'],
    ['uses up the numbers', 'fence', '9007199254740991'],
  ] as const)('[37] accepts valid tokens when the attacker %s', async (_, ending, value) => {
    const fleet = await Fleet.gather(redis);
    // Alone after `timeout`, at the latest.
    const [first, second] = await fleet.join3({ metadata: { timeout: 500 } });
    const known = await fleet.issuer.sign();
    const before = await fleet.nextSnapshot();
    const place = (await fleet.key('snapshot')).replace(/snapshot$/, ending);
    await fleet.redis.set(place, value, 'PX', UNENDING);
    await fleet.issuer.rotateKeys({ keepOld: true });
    const fresh = await fleet.issuer.sign();
    const waiting = [first.verdict(fresh), second.verdict(fresh)];
    expect(await first.verdict(known)).toBe('accepted');
    expect(await Promise.all(waiting)).toEqual(['accepted', 'accepted']);
    expect(before).not.toBe('');
  });

  it('[37] accepts valid tokens when the attacker puts something of another type in each place', async () => {
    const fleet = await Fleet.gather(redis);
    const [first] = await fleet.join3();
    await fleet.nextSnapshot();
    const [key = ''] = await snapshotsOf(fleet);
    for (const ending of ['snapshot', 'lease', 'fence', 'budget']) {
      const place = key.replace(/snapshot$/, ending);
      await fleet.redis.del(place);
      await fleet.redis.hset(place, 'not', 'ours');
    }
    await fleet.issuer.rotateKeys({ keepOld: false });
    expect(await first.verdict(await fleet.issuer.sign())).toBe('accepted');
    expect(first.storeState).toBe('failing');
    const cold = await fleet.join();
    expect(await cold.verdict(await fleet.issuer.sign())).toBe('accepted');
  });
});

/** Until everything published before has reached them: what came after it has. Once in a test, since it is reported once. */
async function heard(fleet: Fleet, ...replicas: readonly Replica[]): Promise<void> {
  expect(replicas.flatMap((replica) => replica.refusals())).not.toContain('malformed');
  await fleet.redis.publish(await fleet.channel(), 'a text with no seal');
  await until(() => replicas.every((replica) => replica.refusals().includes('malformed')));
}

async function snapshotsOf(fleet: Fleet): Promise<readonly string[]> {
  return (await fleet.keys()).filter((key) => key.endsWith(':snapshot'));
}

function kidOf(token: string): string {
  const [head = ''] = token.split('.', 1);
  const header: { kid: string } = JSON.parse(Buffer.from(head, 'base64url').toString());
  return header.kid;
}
