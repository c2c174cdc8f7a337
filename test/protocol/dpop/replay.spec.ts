import { createHash } from 'node:crypto';
import type { ReplayStore } from 'nestjs-resilient-auth';
import { MemoryReplayStore } from 'nestjs-resilient-auth/sender-constrained';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it } from 'vitest';
import { platforms } from '../../support/apps/platforms.js';
import { until } from '../../support/clock/until.js';
import { PUBLIC_URL, startDpopApi, type DpopApi } from '../../support/dpop/dpop-api.js';

const URL_OF_THINGS = `${PUBLIC_URL}/things`;
const REPLAYED = { status: 401, code: 'AUTH_PROOF_REPLAYED' };
const UNAVAILABLE = { status: 503, code: 'AUTH_REPLAY_STORE_UNAVAILABLE', challenge: undefined };

/** A store that keeps what it is called with. */
class RecordingStore implements ReplayStore {
  readonly calls: (readonly [string, number, string | undefined])[] = [];

  add(key: string, expiresAt: number, client?: string): Promise<boolean> {
    const isNew = this.calls.every(([known]) => known !== key);
    this.calls.push([key, expiresAt, client]);
    return Promise.resolve(isNew);
  }
}

async function proofFor(api: DpopApi, claims: object = {}): Promise<{ token: string; proof: string }> {
  const token = await api.token();
  return { token, proof: await api.client.proof({ url: URL_OF_THINGS, token, claims: { ...claims } }) };
}

describe.each(platforms)('the replay check, on $platform', ({ create }) => {
  it('[P3-9] rejects a proof that comes again with invalid_dpop_proof', async () => {
    const api = await startDpopApi({}, { create });
    const sent = await proofFor(api);
    expect(await api.outcome(sent)).toMatchObject({ status: 200 });
    const { challenge, ...outcome } = await api.outcome(sent);
    expect(outcome).toEqual(REPLAYED);
    expect(challenge).toMatch(/^DPoP error="invalid_dpop_proof"/);
  });

  it('[P3-9] accepts a proof exactly once when a hundred copies come at once', async () => {
    const api = await startDpopApi({}, { create });
    await api.app.listen(0, '127.0.0.1');
    const sent = await proofFor(api);
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => api.outcome(sent)));
    expect(outcomes.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(outcomes.filter(({ code }) => code === 'AUTH_PROOF_REPLAYED')).toHaveLength(99);
  });
});

describe('the replay store', () => {
  it('[P3-9] calls the store with the SHA-256 of key and jti, and when the proof can no longer be accepted', async () => {
    const clock = new ManualClock();
    const replay = new RecordingStore();
    const api = await startDpopApi({ replay }, { clock });
    const iat = clock.now() / 1000 - 20;
    await api.outcome(await proofFor(api, { jti: 'one', iat }));
    const { thumbprint } = api.client;
    const key = createHash('sha256').update(`${thumbprint}.one`).digest('base64url');
    expect(replay.calls).toEqual([[key, iat * 1000 + 70_000, thumbprint]]);
  });

  it('[P3-9] calls the store with the end of the nonce where that comes first', async () => {
    const clock = new ManualClock();
    const replay = new RecordingStore();
    const nonce = { secrets: ['a secret of the fleet'], lifetime: 60_000 };
    const api = await startDpopApi({ replay, nonce }, { clock });
    const { headers } = await api.send();
    await api.send({ nonce: headers['dpop-nonce'] });
    expect(replay.calls.map(([, expiresAt]) => expiresAt)).toEqual([clock.now() + 60_000]);
  });

  it('[P3-9] calls no store for a proof that is refused for another reason', async () => {
    const replay = new RecordingStore();
    const api = await startDpopApi({ replay });
    const token = await api.token();
    const other = await api.issuer.dpopClient();
    for (const sent of [
      { claims: { htm: 'POST' } },
      { claims: { htu: 'https://evil.example/things' } },
      { claims: { iat: 1 } },
      { claims: { ath: 'x' } },
      { header: { typ: 'JWT' } },
      { proof: await other.proof({ url: URL_OF_THINGS, token, header: { jwk: api.client.jwk } }) },
      { proof: await other.proof({ url: URL_OF_THINGS, token }) },
      { scheme: 'Bearer' },
    ])
      expect(await api.outcome({ token, ...sent })).toMatchObject({ status: 401 });
    expect(replay.calls).toEqual([]);
  });

  it('[P3-9] accepts one jti of two keys, and rejects it with another proof of the same key', async () => {
    const api = await startDpopApi();
    const other = await api.issuer.dpopClient();
    const claims = { jti: 'same' };
    for (const client of [api.client, other]) {
      const token = await client.sign();
      const proof = await client.proof({ url: URL_OF_THINGS, token, claims });
      expect(await api.outcome({ token, proof })).toMatchObject({ status: 200 });
      // Another proof, and another token: the jti is what counts.
      const again = await client.sign({ scope: 'x' });
      const second = await client.proof({ url: URL_OF_THINGS, token: again, claims });
      expect(await api.outcome({ token: again, proof: second })).toMatchObject(REPLAYED);
    }
  });

  it('[P3-9] accepts a proof as often as it comes with replay: false', async () => {
    const api = await startDpopApi({ replay: false });
    const sent = await proofFor(api);
    for (let i = 0; i < 3; i++) expect(await api.outcome(sent)).toMatchObject({ status: 200 });
  });

  const broken: readonly [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('gone'))],
    ['rejects with nothing', () => Promise.reject()],
    ['returns nothing', () => Promise.resolve()],
    ['returns text', () => Promise.resolve('OK')],
    ['returns a number', () => Promise.resolve(1)],
    ['returns null', () => Promise.resolve(null)],
    ['returns no promise, and no boolean', () => 'true'],
  ];
  it.each(broken)('[P3-10] answers 503 with Retry-After when the store %s', async (_, add) => {
    const api = await startDpopApi({ replay: Object({ add }) });
    const response = await api.send();
    expect([response.status, response.body.errorCode]).toEqual([503, UNAVAILABLE.code]);
    expect(response.headers['retry-after']).toBe('1');
    expect(response.headers).not.toHaveProperty('www-authenticate');
  });

  it('[P3-10] answers 503 after a second when the store hangs, and leaves no timer behind', async () => {
    const clock = new ManualClock();
    let called: (() => void) | undefined;
    const reached = new Promise<void>((resolve) => (called = resolve));
    const add = (): Promise<boolean> => {
      called?.();
      return new Promise(() => undefined);
    };
    const api = await startDpopApi({ replay: { add } }, { clock });
    const before = clock.pendingTimers;
    const outcome = api.outcome();
    await reached;
    expect(clock.pendingTimers).toBe(before + 1);
    await clock.advance(1000);
    expect(await outcome).toEqual(UNAVAILABLE);
    // The first refusal starts the timer of the line that counts them; the log is written after a minute.
    expect(clock.pendingTimers).toBe(before + 1);
    await clock.advance('1m');
    expect(clock.pendingTimers).toBe(before);
  });

  it('[P3-10] answers 503 when the store is late, and 200 to the next proof', async () => {
    const clock = new ManualClock();
    const waiting: ((isNew: boolean) => void)[] = [];
    const add = (): Promise<boolean> => new Promise((resolve) => void waiting.push(resolve));
    const api = await startDpopApi({ replay: { add } }, { clock });
    const late = api.outcome();
    await until(() => waiting.length === 1);
    await clock.advance(1000);
    waiting[0]?.(true);
    expect(await late).toEqual(UNAVAILABLE);
    const next = api.outcome();
    await until(() => waiting.length === 2);
    waiting[1]?.(true);
    expect(await next).toMatchObject({ status: 200 });
  });
});

describe('MemoryReplayStore', () => {
  const later = (clock: ManualClock, seconds = 60): number => clock.now() + seconds * 1000;

  it('[P3-9] returns false for a key that was added, until it expires', async () => {
    const clock = new ManualClock();
    const store = new MemoryReplayStore({ clock });
    expect(await store.add('a', later(clock), 'x')).toBe(true);
    await clock.advance('59s');
    expect(await store.add('a', later(clock), 'x')).toBe(false);
    await clock.advance('2s');
    expect(await store.add('a', later(clock), 'x')).toBe(true);
    expect(store.size).toBe(1);
  });

  it('[P3-9] keeps a key to the last millisecond, also within a second', async () => {
    const clock = new ManualClock(1_800_000_000_000);
    const store = new MemoryReplayStore({ clock });
    const expiresAt = clock.now() + 1999;
    expect(await store.add('a', expiresAt)).toBe(true);
    await clock.advance(1998);
    expect(await store.add('a', expiresAt)).toBe(false);
    await clock.advance(2);
    expect(await store.add('a', expiresAt)).toBe(true);
  });

  it('[P3-10] rejects what exceeds the bound of one client, and keeps room for the others', async () => {
    const clock = new ManualClock();
    const store = new MemoryReplayStore({ max: 100, maxPerKey: 10, clock });
    for (let i = 0; i < 10; i++) expect(await store.add(`flood${i}`, later(clock), 'flood')).toBe(true);
    await expect(store.add('flood10', later(clock), 'flood')).rejects.toThrow(/maxPerKey/);
    expect(await store.add('other', later(clock), 'other')).toBe(true);
    // Nothing was pushed out: neither of the others nor of its own.
    expect(await store.add('other', later(clock), 'other')).toBe(false);
    expect(await store.add('flood0', later(clock), 'flood')).toBe(false);
    await clock.advance('61s');
    expect(await store.add('flood10', later(clock), 'flood')).toBe(true);
    expect(store.size).toBe(1);
  });

  it('[P3-10] rejects new keys when it is full, and forgets none before its time', async () => {
    const clock = new ManualClock();
    const store = new MemoryReplayStore({ max: 3, maxPerKey: 2, clock });
    for (const key of ['a', 'b', 'c']) expect(await store.add(key, later(clock), key)).toBe(true);
    await expect(store.add('d', later(clock), 'd')).rejects.toThrow(/max/);
    for (const key of ['a', 'b', 'c']) expect(await store.add(key, later(clock), key)).toBe(false);
  });

  it('[P3-10] returns memory: a day of proofs leaves no more than a minute of them', async () => {
    const clock = new ManualClock();
    const store = new MemoryReplayStore({ clock });
    for (let i = 0; i < 10_000; i++) {
      await store.add(String(i), later(clock), String(i % 7));
      clock.setWallClock(clock.now() + 1000);
    }
    // The last was added a second ago.
    expect(store.size).toBe(60);
  });

  it.each([{ max: 0 }, { max: 1.5 }, { maxPerKey: -1 }, { maxPerKey: Number.NaN }])(
    'throws for %j',
    (options) => {
      expect(() => new MemoryReplayStore(options)).toThrow(RangeError);
    },
  );

  it('[P3-10] answers 503 to the client at its bound over HTTP, and 200 to others', async () => {
    const api = await startDpopApi({ replay: new MemoryReplayStore({ maxPerKey: 2 }) });
    for (let i = 0; i < 2; i++) expect(await api.outcome()).toMatchObject({ status: 200 });
    expect(await api.outcome()).toEqual(UNAVAILABLE);
    const other = await api.issuer.dpopClient();
    const token = await other.sign();
    expect(
      await api.outcome({ token, proof: await other.proof({ url: URL_OF_THINGS, token }) }),
    ).toMatchObject({
      status: 200,
    });
  });
});
