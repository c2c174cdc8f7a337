import { describe, expect, it } from 'vitest';
import { after, hang, keyOf, unreachable } from '../support/issuers/scripted-issuer.js';
import { scene, settle, until, watch } from '../support/apps/scene.js';

describe('the first load', () => {
  it('[1] fetches once, when the first key is looked up', async () => {
    const stage = await scene({ metadata: { startup: 'lazy' } });
    const { issuer, provider } = stage;
    expect(issuer.requests).toEqual([]);
    expect(provider.status().state).toBe('empty');
    expect(await stage.show('a')).toBe('accepted');
    expect([issuer.calls('discovery'), issuer.calls('jwks')]).toEqual([1, 1]);
    expect(stage.attempts('load')).toBe(1);
    expect(provider.status().state).toBe('fresh');
  });

  it('[1] fetches nothing more when ten tokens of one key arrive', async () => {
    const stage = await scene({ module: { tokenCache: false } });
    const { issuer } = stage;
    const before = issuer.requests.length;
    for (let i = 0; i < 10; i++) expect(await stage.show('a', { jti: String(i) })).toBe('accepted');
    expect(issuer.requests).toHaveLength(before);
  });

  it('[1] fetches once when tokens of three keys of one set arrive', async () => {
    const stage = await scene({ keys: ['a', 'b', 'c'], metadata: { startup: 'lazy' } });
    const { issuer } = stage;
    const outcomes = await Promise.all(['a', 'b', 'c', 'b'].map((kid) => stage.show(kid)));
    expect(new Set(outcomes)).toEqual(new Set(['accepted']));
    expect([issuer.calls('discovery'), issuer.calls('jwks')]).toEqual([1, 1]);
  });

  it('[2] fetches once when fifty first requests arrive together', async () => {
    const stage = await scene({ metadata: { startup: 'lazy' } });
    const { issuer } = stage;
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, i) => issuer.sign('a', { jti: String(i) })),
    );
    const outcomes = await Promise.all(tokens.map((token) => stage.verdict(token)));
    expect(outcomes).toEqual(tokens.map(() => 'accepted'));
    expect([issuer.calls('discovery'), issuer.calls('jwks')]).toEqual([1, 1]);
    expect(stage.provider.status().waiting).toBe(0);
  });
});

describe('a refresh on demand', () => {
  it('[2] serves a second request from the running refresh when it takes longer than a second', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    await issuer.publish('a', 'b');
    issuer.always('jwks', after(clock, 3000));
    const first = stage.watch(await issuer.sign('b', { jti: '1' }));
    await clock.advance(2000);
    const second = stage.watch(await issuer.sign('b', { jti: '2' }));
    await clock.advance(1000);
    expect([await first.settled, await second.settled]).toEqual(['accepted', 'accepted']);
    expect(stage.attempts()).toBe(1);
    expect(issuer.calls('jwks')).toBe(2);
  });

  it('[3] accepts a request with a known key without delay while it runs', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    issuer.always('all', hang());
    const unknown = stage.watch(await issuer.sign('b'));
    await until(() => issuer.calls('jwks') === 2);
    for (let i = 0; i < 10; i++) expect(await stage.show('a', { jti: String(i) })).toBe('accepted');
    expect(clock.monotonic()).toBe(0);
    expect(unknown.outcome).toBeUndefined();
    await clock.advance(5000);
    expect(await unknown.settled).toBe('AUTH_METADATA_UNAVAILABLE');
  });

  it('[4] continues for the other requests when one request reaches its deadline', async () => {
    const stage = await scene({ metadata: { refreshWait: '2s' } });
    const { clock, issuer } = stage;
    await issuer.publish('a', 'b');
    issuer.always('jwks', after(clock, 4000));
    const first = stage.watch(await issuer.sign('b', { jti: '1' }));
    await clock.advance(1999);
    expect(first.outcome).toBeUndefined();
    await clock.advance(1);
    expect(first.outcome).toBe('AUTH_METADATA_UNAVAILABLE');
    expect(first.retryAfter).toBeGreaterThanOrEqual(1);
    const second = stage.watch(await issuer.sign('b', { jti: '2' }));
    await clock.advance(1999);
    expect(issuer.requests.at(-1)?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(await second.settled).toBe('accepted');
    expect(stage.attempts()).toBe(1);
  });

  it('[5] makes no call when another request has refreshed since the snapshot of the caller', async () => {
    const { issuer, provider } = await scene();
    const stale = await provider.current();
    await issuer.publish('a', 'b');
    const fresh = await provider.refreshNow();
    issuer.always('all', unreachable());
    const before = issuer.requests.length;
    const answer = await provider.requestRefresh({ stale, kid: 'b', reason: 'key-not-found' });
    expect(answer).toBe(fresh);
    expect(await provider.requestRefresh({ stale, reason: 'requested' })).toBe(fresh);
    expect(await provider.requestRefresh({ stale, kid: 'a', reason: 'bad-signature' })).toBe(fresh);
    expect(issuer.requests).toHaveLength(before);
  });

  it('[5] fetches again when the newer snapshot has not got the key either', async () => {
    const { issuer, provider } = await scene();
    const stale = await provider.current();
    await issuer.publish('a', 'b');
    await provider.refreshNow();
    await issuer.publish('a', 'b', 'c');
    const answer = await provider.requestRefresh({ stale, kid: 'c', reason: 'key-not-found' });
    expect(answer.keysWithId('c')).toHaveLength(1);
  });
});

describe('two refreshes that overlap', () => {
  it('[6] keeps the newer answer when the older one comes last', async () => {
    const stage = await scene();
    const { issuer, provider } = stage;
    const held = issuer.hold('jwks');
    const older = provider.refreshNow();
    await held.arrived;
    await issuer.publish('a', 'b');
    const newer = await provider.refreshNow();
    expect(newer.keysWithId('b')).toHaveLength(1);
    held.release();
    expect(await older).toBe(newer);
    expect(provider.snapshot()).toBe(newer);
    expect(await stage.show('b')).toBe('accepted');
    expect(stage.emitted('metadata-changed')).toHaveLength(2);
  });

  it('[6] keeps the newer answer when the older one brings back a withdrawn key', async () => {
    const stage = await scene({ keys: ['a', 'b'] });
    const { issuer, provider } = stage;
    const held = issuer.hold('jwks');
    const older = provider.refreshNow();
    await held.arrived;
    await issuer.publish('b');
    await provider.refreshNow();
    expect(await stage.show('a')).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
    held.release();
    await older;
    expect(await stage.show('a')).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('[6] ignores the failure of the older one when the newer has succeeded', async () => {
    const { clock, issuer, provider } = await scene();
    issuer.once('jwks', hang());
    const older = watch(provider.refreshNow());
    await until(() => issuer.calls('jwks') === 2);
    await clock.advance(1000);
    await provider.refreshNow();
    const { nextRefreshAt } = provider.status();
    await clock.advance(4000);
    expect(await older.settled).toBe('AUTH_METADATA_UNAVAILABLE');
    expect(provider.status()).toMatchObject({ lastFailure: undefined, nextRefreshAt, state: 'fresh' });
  });

  it('[6] emits one change when both find the same new key', async () => {
    const stage = await scene();
    const { issuer, provider } = stage;
    await issuer.publish('a', 'b');
    const holds = [issuer.hold('jwks'), issuer.hold('jwks')];
    const refreshes = [provider.refreshNow(), provider.refreshNow()];
    for (const { arrived, release } of holds) {
      await arrived;
      release();
      await settle();
    }
    const [first, second] = await Promise.all(refreshes);
    expect(second).toBe(first);
    expect(stage.emitted('metadata-changed')).toHaveLength(2);
  });

  it('[6] keeps a key that the older one has brought when the newer one finds it only at the second look', async () => {
    const stage = await scene();
    const { issuer, provider } = stage;
    const holds = [issuer.hold('jwks'), issuer.hold('jwks')];
    // The older is answered by a node that has the new key, the newer by one that has not.
    await issuer.publish('a', 'b');
    const older = provider.refreshNow();
    await holds[0]?.arrived;
    await issuer.publish('a');
    const newer = provider.refreshNow();
    await holds[1]?.arrived;
    await issuer.publish('a', 'b');
    holds[0]?.release();
    await older;
    expect(await stage.show('b')).toBe('accepted');
    holds[1]?.release();
    await newer;
    expect(await stage.show('b')).toBe('accepted');
    expect(stage.emitted('metadata-changed').flatMap((event) => event.withdrawnKeyIds)).toEqual([]);
  });

  it('[6] resolves requests that wait for the first load when either succeeds', async () => {
    const { clock, issuer, provider } = await scene({ metadata: { startup: 'lazy' } });
    issuer.once('discovery', hang());
    const waiting = provider.current();
    const answer = watch(waiting);
    await until(() => issuer.calls('discovery') === 1);
    const loaded = await provider.refreshNow();
    await clock.advance(5000);
    expect(await answer.settled).toBe('accepted');
    expect(await waiting).toBe(loaded);
  });
});

// Made beforehand, so that no test waits for it at an awkward moment.
await Promise.all(['a', 'b', 'c'].map((kid) => keyOf(kid)));
