import { describe, expect, it } from 'vitest';
import { keyOf, unreachable } from '../support/issuers/scripted-issuer.js';
import { scene, settle, watch, type Scene } from '../support/apps/scene.js';

/** What the authenticator requests for a token without `kid`. */
function requestNewKey({ provider }: Scene, stale = provider.snapshot()) {
  return provider.requestRefresh({ stale, kid: undefined, reason: 'key-not-found' });
}

async function publishWithoutKid({ issuer }: Scene, ...names: readonly string[]): Promise<void> {
  const keys = await Promise.all(names.map((name) => keyOf(name)));
  issuer.published = keys.map(({ jwk }) => ({ ...jwk, kid: undefined }));
}

describe('a request for a new key, without kid', () => {
  it('[27] returns the new snapshot when a key was published', async () => {
    const stage = await scene();
    const stale = stage.provider.snapshot();
    await publishWithoutKid(stage, 'a', 'b');
    const fresh = await requestNewKey(stage);
    expect(fresh).not.toBe(stale);
    expect(fresh.keys).toHaveLength(2);
  });

  it('[27] returns the same snapshot when the issuer has nothing new, after a second read', async () => {
    const stage = await scene();
    const { issuer, provider } = stage;
    const calls = issuer.requests.length;
    expect(await requestNewKey(stage)).toBe(provider.snapshot());
    expect(issuer.requests.length - calls).toBe(3);
  });

  it('[27] waits for the next permitted refresh when the last found nothing, and returns a key published meanwhile', async () => {
    const stage = await scene({ metadata: { refreshBurst: 1 } });
    const { clock, provider } = stage;
    expect(await requestNewKey(stage)).toBe(provider.snapshot());
    await publishWithoutKid(stage, 'a', 'b');
    const waiting = requestNewKey(stage);
    await clock.advance(5000);
    expect((await waiting).keys).toHaveLength(2);
    expect(stage.attempts()).toBe(2);
  });

  it('[27] finds a key that one of two nodes has', async () => {
    const stage = await scene();
    const lagging = stage.issuer.published;
    await publishWithoutKid(stage, 'a', 'b');
    stage.issuer.once('jwks', () => Response.json({ keys: lagging }));
    const fresh = await requestNewKey(stage);
    expect(fresh.keys.length).toBeGreaterThan(1);
  });

  it('[27] answers 503 in an outage', async () => {
    const stage = await scene();
    stage.issuer.always('all', unreachable());
    const answers = [watch(requestNewKey(stage)), watch(requestNewKey(stage))];
    await settle();
    await stage.clock.advance('10s');
    for (const { outcome, retryAfter } of answers) {
      expect(outcome).toBe('AUTH_METADATA_UNAVAILABLE');
      expect(retryAfter).toBeGreaterThanOrEqual(1);
    }
  });

  it('[27] refreshes at most once per refreshInterval when twenty come every second', async () => {
    const stage = await scene();
    for (let second = 0; second < 60; second++) {
      for (let i = 0; i < 20; i++) requestNewKey(stage).catch(() => undefined);
      await stage.clock.advance(1000);
    }
    expect(stage.attempts()).toBeLessThanOrEqual(5 + 60 / 5);
  });
});

describe('refreshOnKeyNotFound: false', () => {
  it('[P5-4] answers an unknown key from the current snapshot, and accepts it from the next automatic refresh on', async () => {
    const stage = await scene({ metadata: { refreshOnKeyNotFound: false } });
    const { clock, issuer } = stage;
    await issuer.publish('a', 'b');
    const calls = issuer.requests.length;
    expect(await stage.show('b')).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
    expect(await requestNewKey(stage)).toBe(stage.provider.snapshot());
    expect(issuer.requests).toHaveLength(calls);
    await clock.advance('10m');
    expect(await stage.show('b')).toBe('accepted');
  });

  it('[P5-4] loads the first snapshot on demand all the same', async () => {
    const stage = await scene({ start: false, metadata: { refreshOnKeyNotFound: false } });
    expect(await stage.show('a')).toBe('accepted');
  });
});
