import { beforeEach, describe, expect, it } from 'vitest';
import { keyOf } from '../support/issuers/scripted-issuer.js';
import { scene, until, type Scene } from '../support/apps/scene.js';
import { holdPool, watchSignatureChecks } from '../support/apps/signature-checks.js';

const REJECTED = 'AUTH_TOKEN_SIGNATURE_INVALID';
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const signAll = (stage: Scene, count: number, kid = 'a'): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => stage.issuer.sign(kid, { jti: String(i) })));

let checks: ReturnType<typeof watchSignatureChecks>;
beforeEach(() => {
  checks = watchSignatureChecks();
});

/** Where each signature was checked: a check in the pool has a callback. */
const places = (): string[] => checks.mock.calls.map((call) => (call.length < 5 ? 'event loop' : 'pool'));

describe('new tokens', () => {
  it('checks each on the event loop when it comes alone', async () => {
    const stage = await scene();
    for (const token of await signAll(stage, 3)) {
      expect(await stage.verdict(token)).toBe('accepted');
      await nextTurn();
    }
    expect(places()).toEqual(['event loop', 'event loop', 'event loop']);
  });

  it('checks all but the first in the thread pool when they come in one turn', async () => {
    const stage = await scene();
    const tokens = await signAll(stage, 4);
    const outcomes = await Promise.all(tokens.map((token) => stage.verdict(token)));
    expect(new Set(outcomes)).toEqual(new Set(['accepted']));
    expect(places()).toEqual(['event loop', 'pool', 'pool', 'pool']);
  });

  it('checks all in the thread pool in the turn after one with several', async () => {
    const stage = await scene();
    const [first = '', ...tokens] = await signAll(stage, 6);
    await Promise.all([first, ...tokens.slice(0, 2)].map((token) => stage.verdict(token)));
    await nextTurn();
    await Promise.all(tokens.slice(2).map((token) => stage.verdict(token)));
    expect(places()).toEqual(['event loop', 'pool', 'pool', 'pool', 'pool', 'pool']);
  });

  it('returns cached results after the thread pool has checked them', async () => {
    const stage = await scene();
    const tokens = await signAll(stage, 4);
    for (let round = 0; round < 2; round++) await Promise.all(tokens.map((token) => stage.verdict(token)));
    expect(checks).toHaveBeenCalledTimes(4);
    expect(stage.authenticator.cacheStatus()).toMatchObject({ size: 4, hits: 4, misses: 4 });
  });

  it('checks them with every fitting key in the thread pool when they have no kid', async () => {
    const stage = await scene({ keys: ['a', 'b', 'c'] });
    const key = await keyOf('c');
    const tokens = await Promise.all(
      ['1', '2'].map((jti) => stage.issuer.sign(key, { jti }, { kid: undefined })),
    );
    expect(await Promise.all(tokens.map((token) => stage.verdict(token)))).toEqual(['accepted', 'accepted']);
    expect(places().filter((place) => place === 'pool')).toHaveLength(3);
  });

  it('checks them in the thread pool when secretOrKeyProvider is called', async () => {
    const stage = await scene();
    const tokens = await signAll(stage, 3);
    const pems = await Promise.all(
      tokens.map(
        (token) =>
          new Promise((resolve) =>
            stage.authenticator.secretOrKeyProvider({}, token, (error, key) => resolve(error ?? key)),
          ),
      ),
    );
    expect(new Set(pems)).toEqual(new Set([stage.provider.snapshot()?.keys[0]?.toPem()]));
    expect(places()).toEqual(['event loop', 'pool', 'pool']);
  });

  it('rejects them when their signature is wrong, on the event loop and in the pool', async () => {
    const stage = await scene();
    const forged = await keyOf('a', { material: 'forged' });
    const tokens = await Promise.all(['1', '2', '3'].map((jti) => stage.issuer.sign(forged, { jti })));
    const outcomes = await Promise.all(tokens.map((token) => stage.verdict(token)));
    expect(outcomes).toEqual([REJECTED, REJECTED, REJECTED]);
    expect(places()).toContain('pool');
  });
});

describe('a snapshot that changes while the thread pool checks a signature', () => {
  /** Two tokens of key `a`, the second of them in the pool. */
  async function checkingInPool(stage: Scene) {
    const held = holdPool(checks);
    const [first = '', second = ''] = await signAll(stage, 2);
    const alone = stage.watch(first);
    const inPool = stage.watch(second);
    expect(await alone.settled).toBe('accepted');
    await until(() => held.count === 1);
    return { held, inPool, second };
  }

  it('rejects the token when its key has been withdrawn, and does not keep it', async () => {
    const stage = await scene();
    const { held, inPool, second } = await checkingInPool(stage);
    await stage.issuer.publish('b');
    await stage.provider.refreshNow();
    held.release();
    expect(await inPool.settled).toBe(REJECTED);
    expect(await stage.verdict(second)).toBe(REJECTED);
    expect(stage.authenticator.cacheStatus()?.size).toBe(1);
  });

  it('accepts the token when its key is still published', async () => {
    const stage = await scene();
    const { held, inPool } = await checkingInPool(stage);
    await stage.issuer.publish('a', 'b');
    await stage.provider.refreshNow();
    held.release();
    expect(await inPool.settled).toBe('accepted');
    expect(places()).toEqual(['event loop', 'pool']);
  });

  it('answers 503 when the snapshot has expired and the issuer cannot be asked', async () => {
    const stage = await scene({ metadata: { lastKnownGoodLifetime: '1m', refreshWait: '0s' } });
    const { held, inPool } = await checkingInPool(stage);
    stage.issuer.always('all', () => new Response('', { status: 500 }));
    await stage.clock.advance('1h');
    held.release();
    expect(await inPool.settled).toBe('AUTH_METADATA_UNAVAILABLE');
  });

  it('accepts a token of reused key material checked with the keys of before', async () => {
    const stage = await scene();
    const renewed = await keyOf('a', { material: 'renewed' });
    const held = holdPool(checks);
    const [other = ''] = await signAll(stage, 1);
    const token = await stage.issuer.sign(renewed, { jti: 'renewed' });
    const alone = stage.watch(other);
    const inPool = stage.watch(token);
    expect(await alone.settled).toBe('accepted');
    await until(() => held.count === 1);
    await stage.issuer.publish(renewed);
    await stage.provider.refreshNow();
    held.release();
    expect(await inPool.settled).toBe('accepted');
  });
});

describe('a flood of wrong signatures under a known kid', () => {
  it('runs one check per turn of the event loop and 4 ms of work in the thread pool at once', async () => {
    const stage = await scene();
    const forged = await stage.issuer.sign(await keyOf('a', { material: 'forged' }));
    const held = holdPool(checks);
    const flood = Array.from({ length: 1000 }, () => stage.verdict(forged));
    await until(() => held.count > 0);
    await nextTurn();
    expect(places().filter((place) => place === 'event loop')).toHaveLength(1);
    // 53 checks of ES256, of 75 µs each.
    expect(places().filter((place) => place === 'pool')).toHaveLength(53);
    held.release();
    expect(new Set(await Promise.all(flood))).toEqual(new Set([REJECTED]));
  });

  it('answers 503 when a second of work waits already, and no known token notices', async () => {
    const stage = await scene();
    const known = await stage.issuer.sign('a');
    expect(await stage.verdict(known)).toBe('accepted');
    const forged = await stage.issuer.sign(await keyOf('a', { material: 'forged' }));
    const held = holdPool(checks);
    const flood = Array.from({ length: 14_000 }, () => stage.verdict(forged));
    expect(await stage.verdict(known)).toBe('accepted');
    held.release();
    const outcomes = await Promise.all(flood);
    expect(new Set(outcomes)).toEqual(new Set([REJECTED, 'AUTH_METADATA_UNAVAILABLE']));
    // A second of work that waits for the end of the turn, and one on the event loop.
    expect(outcomes.filter((outcome) => outcome === REJECTED)).toHaveLength(13_333 + 1);
  });
});
