import { describe, expect, it } from 'vitest';
import { deferred, json, keyOf, status, text, type Reply } from '../support/issuers/scripted-issuer.js';
import { scene, settle, until, type Scene } from '../support/apps/scene.js';

const MINUTE = 60_000;
const REFUSED = 'AUTH_TOKEN_SIGNATURE_INVALID';
const UNAVAILABLE = 'AUTH_METADATA_UNAVAILABLE';

describe('a new key', () => {
  it('[13] accepts its tokens in the same request, with one refresh, and those of the old key while that is published', async () => {
    const stage = await scene();
    await stage.issuer.publish('a', 'b');
    expect(await stage.show('b')).toBe('accepted');
    expect(await stage.show('a')).toBe('accepted');
    expect(await stage.show('b', { jti: '2' })).toBe('accepted');
    expect(stage.attempts()).toBe(1);
    expect(stage.issuer.calls('jwks')).toBe(2);
    expect(stage.issuer.calls('discovery')).toBe(1);
    expect(stage.clock.monotonic()).toBe(0);
  });

  it('[13] accepts its tokens in the same request when the old key went at the same moment', async () => {
    const stage = await scene();
    await stage.issuer.publish('b');
    expect(await stage.show('b')).toBe('accepted');
    expect(await stage.show('a')).toBe(REFUSED);
    expect(stage.attempts()).toBe(1);
  });

  it.each([{ overlap: true }, { overlap: false }])(
    '[14] refreshes once per rollover when two hundred callers see ten rollovers (overlap: $overlap)',
    async ({ overlap }) => {
      const stage = await scene({ keys: ['k0'] });
      const { clock, issuer } = stage;
      for (let rollover = 1; rollover <= 10; rollover++) {
        await clock.advance(10_000);
        const [old, fresh] = [`k${rollover - 1}`, `k${rollover}`];
        await issuer.publish(...(overlap ? [old, fresh] : [fresh]));
        const tokens = await Promise.all(
          Array.from({ length: 200 }, (_, i) =>
            issuer.sign(overlap && i % 2 === 0 ? old : fresh, { jti: String(i) }),
          ),
        );
        const outcomes = await Promise.all(tokens.map((token) => stage.verdict(token)));
        expect(new Set(outcomes)).toEqual(new Set(['accepted']));
        expect(stage.attempts()).toBe(rollover);
      }
      expect(stage.emitted('refresh-failed')).toEqual([]);
    },
  );

  it('[15] accepts its tokens at once when it appears a second after boot, after another rollover or after a refresh', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    await clock.advance(1000);
    await issuer.publish('a', 'b');
    expect(await stage.show('b')).toBe('accepted');
    await clock.advance(1);
    await issuer.publish('b', 'c');
    expect(await stage.show('c')).toBe('accepted');
    await clock.advance(10 * MINUTE);
    expect(stage.attempts('automatic')).toBe(1);
    await clock.advance(1000);
    await issuer.publish('c', 'd');
    expect(await stage.show('d')).toBe('accepted');
    expect(stage.attempts('on-demand')).toBe(3);
  });

  it('[15] accepts its tokens at once in a burst of as many rollovers as the budget has refreshes', async () => {
    const stage = await scene();
    for (const kid of ['b', 'c', 'd', 'e', 'f']) {
      await stage.issuer.publish(kid);
      expect(await stage.show(kid)).toBe('accepted');
    }
    expect(stage.clock.monotonic()).toBe(0);
    expect(stage.provider.status().budget.available).toBe(0);
  });
});

describe('a withdrawn key', () => {
  it.each([{ cached: true }, { cached: false }])(
    '[16] rejects its tokens after the next automatic refresh when no new key came and traffic goes on (cached results: $cached)',
    async ({ cached }) => {
      const stage = await scene({ keys: ['a', 'b'], module: cached ? {} : { tokenCache: false } });
      const { clock, issuer } = stage;
      const token = await issuer.sign('a');
      await issuer.publish('b');
      for (let minute = 0; minute < 10; minute++) {
        expect(await stage.verdict(token)).toBe('accepted');
        await clock.advance(MINUTE);
      }
      await until(() => stage.provider.status().keyIds.length === 1);
      expect(await stage.verdict(token)).toBe(REFUSED);
      expect(await stage.show('b')).toBe('accepted');
      expect(stage.emitted('metadata-changed').at(-1)).toMatchObject({
        addedKeyIds: [],
        withdrawnKeyIds: ['a'],
      });
    },
  );

  it('[16] refreshes at most once per refreshInterval and keeps budget for a rollover when its tokens come every second', async () => {
    const stage = await scene({ keys: ['a', 'b'] });
    const { clock, issuer, provider } = stage;
    await issuer.publish('b');
    await provider.refreshNow();
    const before = stage.attempts();
    for (let i = 0; i < 50; i++) {
      expect(await stage.show('a', { jti: String(i) })).toBe(REFUSED);
      expect(provider.status().budget.available).toBeGreaterThanOrEqual(3);
      await clock.advance(1000);
    }
    expect(stage.attempts() - before).toBeLessThanOrEqual(10);
  });

  it('[20b] accepts its tokens again a second after the issuer has rolled back', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    await issuer.publish('b');
    expect(await stage.show('b')).toBe('accepted');
    expect(await stage.show('a')).toBe(REFUSED);
    await issuer.publish('a', 'b');
    await clock.advance(1000);
    expect(await stage.show('a')).toBe('accepted');
  });

  it('[20b] accepts its tokens again within refreshInterval when they came all the time', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    await issuer.publish('b');
    expect(await stage.show('b')).toBe('accepted');
    for (let second = 0; second < 30; second++) {
      expect(await stage.show('a')).toBe(REFUSED);
      await clock.advance(1000);
    }
    await issuer.publish('a', 'b');
    await clock.advance(5000);
    expect(await stage.show('a')).toBe('accepted');
  });

  it('[20b] answers 401 while the budget is spent, and accepts its tokens with the next refresh', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    await issuer.publish('b');
    expect(await stage.show('b')).toBe('accepted');
    await stage.exhaustBudget();
    await issuer.publish('a', 'b', 'c');
    await clock.advance(1000);
    expect(await stage.show('a')).toBe(REFUSED);
    const fresh = stage.watch(await issuer.sign('c'));
    await clock.advance(5000);
    expect(fresh.outcome).toBe('accepted');
    expect(await stage.show('a')).toBe('accepted');
  });

  it('[16] accepts its tokens again when the key has come back', async () => {
    const stage = await scene({ keys: ['a', 'b'] });
    const { clock, issuer, provider } = stage;
    await issuer.publish('b');
    await provider.refreshNow();
    await issuer.publish('a', 'b');
    await clock.advance(10 * MINUTE);
    expect(await stage.show('a')).toBe('accepted');
  });
});

describe('new material under an old kid', () => {
  it('[17] accepts its tokens in the same request, with one refresh from the budget', async () => {
    const stage = await scene();
    const { clock, issuer, provider } = stage;
    const reused = await keyOf('a', { material: 'new' });
    const old = await issuer.sign('a');
    expect(await stage.verdict(old)).toBe('accepted');
    await issuer.publish(reused);
    expect(await stage.show(reused)).toBe('accepted');
    expect(stage.attempts()).toBe(1);
    expect(provider.status().budget.available).toBe(4);
    expect(await stage.verdict(old)).toBe(REFUSED);
    expect(clock.monotonic()).toBe(0);
  });

  it('[17] accepts its tokens within refreshInterval when forgeries have used the refresh of that kid', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    const forged = await keyOf('a', { material: 'forged' });
    const reused = await keyOf('a', { material: 'new' });
    for (let i = 0; i < 20; i++) expect(await stage.show(forged, { jti: String(i) })).toBe(REFUSED);
    expect(stage.attempts()).toBe(1);
    await issuer.publish(reused);
    expect(await stage.show(reused)).toBe(REFUSED);
    await clock.advance(4999);
    expect(await stage.show(reused)).toBe(REFUSED);
    await clock.advance(1);
    expect(await stage.show(reused)).toBe('accepted');
    expect(stage.attempts()).toBe(2);
  });
});

describe('an equal key set', () => {
  const shapes: readonly [string, (keys: readonly unknown[]) => Reply][] = [
    ['in another order', (keys) => json({ keys: keys.toReversed() })],
    ['in other whitespace', (keys) => text(`\n${JSON.stringify({ keys }, null, 8)}\n`)],
    ['with its members in another order', (keys) => json({ keys: keys.map(reversed) })],
    ['with a key twice', (keys) => json({ keys: [...keys, ...keys] })],
    ['with something else beside it', (keys) => json({ comment: 'hello', keys })],
  ];

  it.each(shapes)('[18] keeps the snapshot and emits no change when the set comes %s', async (_, shape) => {
    const stage = await scene({ keys: ['a', 'b'] });
    const { clock, issuer, provider } = stage;
    const snapshot = provider.snapshot();
    const seen: unknown[] = [];
    provider.metadata$.subscribe((metadata) => seen.push(metadata));
    issuer.always('jwks', shape(issuer.published));
    await clock.advance(10 * MINUTE);
    expect(stage.emitted('refresh-succeeded').at(-1)).toMatchObject({ trigger: 'automatic', changed: false });
    expect(provider.snapshot()).toBe(snapshot);
    expect(seen).toEqual([snapshot]);
    expect(stage.emitted('metadata-changed')).toHaveLength(1);
  });
});

describe('a moved key set', () => {
  it('[19] follows it with the next automatic refresh', async () => {
    const stage = await scene();
    const { clock, issuer, provider } = stage;
    issuer.jwksUri = `${issuer.url}/moved/jwks`;
    await issuer.publish('a', 'b');
    await clock.advance(10 * MINUTE);
    expect(provider.snapshot()).toMatchObject({ jwksUri: issuer.jwksUri });
    expect(await stage.show('b')).toBe('accepted');
    expect(await stage.show('a')).toBe('accepted');
  });

  it('[19] follows it on demand, in the same request, when the old address is gone or stale', async () => {
    for (const isGone of [true, false]) {
      const stage = await scene();
      const { issuer } = stage;
      const old = issuer.published;
      issuer.jwksUri = `${issuer.url}/moved/jwks`;
      await issuer.publish('a', 'b');
      if (!isGone) {
        issuer.always('jwks', ({ url }, honest) =>
          url === issuer.jwksUri ? honest() : Response.json({ keys: old }),
        );
      }
      expect(await stage.show('b')).toBe('accepted');
      expect(stage.attempts()).toBe(1);
      expect(stage.emitted('refresh-failed')).toEqual([]);
    }
  });

  it('[19] refreshes from the known key set when only the discovery document is down', async () => {
    const stage = await scene();
    const { clock, issuer, provider } = stage;
    issuer.always('discovery', status(500));
    await issuer.publish('b');
    await clock.advance(10 * MINUTE);
    expect(provider.status()).toMatchObject({ state: 'fresh', keyIds: ['b'], lastFailure: undefined });
    expect(stage.emitted('discovery-failed').at(-1)?.error.fault).toBe('status');
    await issuer.publish('b', 'c');
    expect(await stage.show('c')).toBe('accepted');
  });

  it('[19] serves the last known good keys when only the key set is down', async () => {
    const stage = await scene();
    const { clock, issuer, provider } = stage;
    issuer.always('jwks', status(500));
    await clock.advance(11 * MINUTE);
    expect(provider.status()).toMatchObject({ state: 'stale', lastFailure: { fault: 'status' } });
    expect(await stage.show('a')).toBe('accepted');
  });
});

describe('a rollover during an outage', () => {
  it('[20] answers 503, and accepts the token as soon as the issuer is back and the backoff is over', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    await issuer.publish('a', 'b');
    issuer.always('all', status(500));
    expect(await stage.show('b')).toBe(UNAVAILABLE);
    const waiting = stage.watch(await issuer.sign('b', { jti: '2' }));
    await clock.advance(500);
    issuer.recover();
    await clock.advance(249);
    expect(waiting.outcome).toBeUndefined();
    await clock.advance(1);
    expect(await waiting.settled).toBe('accepted');
    expect(stage.attempts()).toBe(2);
  });

  it('[20] answers 503 when a request waits through another failure', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    await issuer.publish('a', 'b');
    issuer.always('all', status(500));
    await stage.show('b');
    const waiting = stage.watch(await issuer.sign('b', { jti: '2' }));
    await clock.advance(750);
    expect(await waiting.settled).toBe(UNAVAILABLE);
    expect(waiting.retryAfter).toBe(2);
  });

  it('[20] accepts the token after the backoff when the failing fetch began before the request came', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    const { promise, resolve } = deferred();
    issuer.once('jwks', async () => {
      await promise;
      return new Response('', { status: 500 });
    });
    issuer.once('discovery', status(500));
    const early = stage.watch(await issuer.sign('b', { jti: '1' }));
    await until(() => issuer.calls('jwks') === 2);
    await issuer.publish('a', 'b');
    const late = stage.watch(await issuer.sign('b', { jti: '2' }));
    await settle();
    resolve();
    expect(await early.settled).toBe(UNAVAILABLE);
    await settle();
    expect(late.outcome).toBeUndefined();
    await clock.advance(750);
    expect(await late.settled).toBe('accepted');
  });

  it('[20] lengthens the gap between refreshes on demand with each failure, up to refreshInterval', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    issuer.always('all', status(500));
    for (let i = 0; i < 60; i++) {
      stage.watch(await issuer.sign('b', { jti: String(i) }));
      await clock.advance(1000);
    }
    const times = issuer.requests.filter(({ endpoint }) => endpoint === 'jwks').map(({ at }) => at);
    const gaps = times.slice(2).map((time, i) => time - (times[i + 1] ?? 0));
    expect(gaps.slice(0, 4)).toEqual([1000, 1500, 3000, 3750]);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5000);
  });
});

describe('nodes of one issuer that disagree', () => {
  it('[20a] rejects no request and withdraws no live key when they answer in turn', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    const nodes = [[(await keyOf('b')).jwk], [(await keyOf('a')).jwk]];
    let turn = 0;
    issuer.always('jwks', () => Response.json({ keys: nodes[turn++ % 2] }));
    const tokens = [await issuer.sign('a'), await issuer.sign('b')];
    for (let minute = 0; minute < 60; minute++) {
      // A node more or less now and then, so that each is asked first at times.
      if (minute % 7 === 0) turn++;
      for (const token of tokens) expect(await stage.verdict(token)).toBe('accepted');
      await clock.advance(MINUTE);
      await settle();
    }
    expect(stage.emitted('metadata-changed').flatMap((event) => event.withdrawnKeyIds)).toEqual([]);
    expect(stage.attempts('automatic')).toBeGreaterThan(4);
  });

  it('[20a] keeps a withdrawn key withdrawn when a cache sends an old copy', async () => {
    const stage = await scene({ keys: ['a', 'b'] });
    const { clock, issuer, provider } = stage;
    const old = { keys: issuer.published };
    const token = await issuer.sign('a');
    await issuer.publish('b');
    await clock.advance(10 * MINUTE);
    expect(provider.status().keyIds).toEqual(['b']);
    // Made at the start, and growing older in the cache.
    issuer.always('jwks', () =>
      Response.json(old, { headers: { age: String(Math.floor(clock.monotonic() / 1000)) } }),
    );
    expect(await refusalsOf(stage, token)).toEqual([REFUSED, UNAVAILABLE]);
    await clock.advance(60 * MINUTE);
    expect(provider.status()).toMatchObject({ keyIds: ['b'], lastFailure: { fault: 'outdated' } });
    expect(await refusalsOf(stage, token)).toEqual([REFUSED, UNAVAILABLE]);
    expect(await stage.show('b')).toBe('accepted');
  });

  it('[20a] answers 503 for a missing key when the second read is an old copy', async () => {
    const stage = await scene({ keys: ['a', 'b'] });
    const { clock, issuer, provider } = stage;
    const old = { keys: issuer.published };
    await issuer.publish('b');
    await clock.advance(10 * MINUTE);
    expect(provider.status().keyIds).toEqual(['b']);
    issuer.once('jwks', (_, honest) => honest());
    issuer.once('jwks', json(old, { age: '600' }));
    expect(await stage.show('c')).toBe(UNAVAILABLE);
    expect(provider.status()).toMatchObject({ keyIds: ['b'], lastFailure: { fault: 'outdated' } });
  });

  it('[20a] keeps the known keys and serves every request when the second read fails', async () => {
    const stage = await scene({ keys: ['a', 'b'] });
    const { clock, issuer, provider } = stage;
    const checkedAt = provider.status().checkedAt;
    await issuer.publish('b', 'c');
    issuer.once('jwks', (_, honest) => honest());
    issuer.once('jwks', status(500));
    const before = provider.snapshot();
    expect(await stage.show('c')).toBe('accepted');
    expect(await stage.show('a')).toBe('accepted');
    expect(provider.snapshot()).not.toBe(before);
    // Half a check renews nothing: the next one comes when it was due, or sooner.
    expect(provider.status().checkedAt).toEqual(checkedAt);
    expect(stage.emitted('refresh-failed')).toHaveLength(1);
    await clock.advance(10 * MINUTE);
    expect(await stage.show('a')).toBe(REFUSED);
  });

  it('[20a] answers 503, not 401, for a missing key when the second read fails, and accepts it once it is published', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    issuer.once('jwks', (_, honest) => honest());
    issuer.once('jwks', status(500));
    expect(await stage.show('b')).toBe(UNAVAILABLE);
    await issuer.publish('a', 'b');
    await clock.advance(750);
    expect(await stage.show('b')).toBe('accepted');
  });

  it('[20a] answers 503 and keeps the known keys when the second read names another issuer', async () => {
    const stage = await scene();
    const { issuer, provider } = stage;
    issuer.discovery = { issuer: 'https://impostor.test' };
    expect(await stage.show('b')).toBe(UNAVAILABLE);
    expect(provider.status()).toMatchObject({ keyIds: ['a'], lastFailure: { fault: 'wrong-issuer' } });
  });
});

/** A key that is known to be gone, and one that was never published. */
async function refusalsOf(stage: Scene, token: string): Promise<readonly string[]> {
  const known = await stage.verdict(token);
  const unknown = stage.watch(await stage.issuer.sign('c'));
  await stage.clock.advance(5000);
  return [known, await unknown.settled];
}

function reversed(jwk: unknown): unknown {
  return typeof jwk === 'object' && jwk !== null ? Object.fromEntries(Object.entries(jwk).toReversed()) : jwk;
}

await Promise.all('abcdef'.split('').map((kid) => keyOf(kid)));
