import { describe, expect, it } from 'vitest';
import { keyOf } from '../support/issuers/scripted-issuer.js';
import { FleetStore } from '../support/stores/memory-store.js';
import { scene } from '../support/apps/scene.js';
import { ManualClock } from 'nestjs-resilient-auth/testing';

const REFUSED = 'AUTH_TOKEN_SIGNATURE_INVALID';

/** Published, and not to be used: not for signatures, malformed, symmetric. */
const UNUSABLE = [
  { kty: 'RSA', kid: 'u-1', use: 'enc', n: 'AQAB', e: 'AQAB' },
  { kty: 'EC', kid: 'u-2', crv: 'P-256', x: 'AA', y: 'AA' },
  { kty: 'oct', kid: 'u-3', k: 'c2VjcmV0' },
];

async function sceneWithUnusable(options: Parameters<typeof scene>[0] = {}) {
  const stage = await scene({ ...options, start: false });
  stage.issuer.published = [...stage.issuer.published, ...UNUSABLE];
  await stage.provider.start();
  return stage;
}

describe('a key that is published and cannot be used', () => {
  it('[34] rejects its tokens without a refresh and records the reason', async () => {
    const stage = await sceneWithUnusable();
    const { issuer, provider } = stage;
    const calls = issuer.requests.length;
    const key = await keyOf('a');
    for (const { kid } of UNUSABLE)
      for (let i = 0; i < 5; i++) expect(await stage.show({ ...key, kid })).toBe(REFUSED);
    expect(issuer.requests).toHaveLength(calls);
    expect(provider.status().budget.available).toBe(5);
    expect(UNUSABLE.map(({ kid }) => provider.snapshot()?.skippedWithId(kid)?.fault)).toEqual([
      'not-for-signatures',
      'malformed',
      'symmetric',
    ]);
    expect(provider.snapshot()?.skippedWithId('a')).toBeUndefined();
    expect(provider.snapshot()?.skippedWithId('unknown')).toBeUndefined();
  });

  it('[34] keeps the budget for a rollover when many tokens carry its kid', async () => {
    const stage = await sceneWithUnusable();
    const { clock, issuer } = stage;
    const key = await keyOf('a');
    for (let second = 0; second < 60; second++) {
      for (const { kid } of UNUSABLE) await stage.show({ ...key, kid });
      await clock.advance(1000);
    }
    await issuer.publish('a', 'b');
    expect(await stage.show('b')).toBe('accepted');
    expect(clock.monotonic()).toBe(60_000);
    expect(stage.attempts('on-demand')).toBe(1);
  });

  it('[34] keeps the reason when the issuer answers 304 or sends an equal set', async () => {
    const stage = await sceneWithUnusable();
    const { issuer, provider } = stage;
    issuer.isConditional = true;
    for (let i = 0; i < 3; i++) await provider.refreshNow();
    expect(provider.snapshot()?.skippedWithId('u-3')?.fault).toBe('symmetric');
    issuer.published = issuer.published.slice(0, 1);
    await provider.refreshNow();
    expect(provider.snapshot()?.skippedWithId('u-3')).toBeUndefined();
    expect(stage.emitted('metadata-changed').at(-1)).toMatchObject({ addedKeyIds: [], withdrawnKeyIds: [] });
  });

  it('[34] reads the key set once when the refresh of a request finds the key', async () => {
    const stage = await scene();
    const { issuer } = stage;
    issuer.published = [...issuer.published, ...UNUSABLE];
    const calls = issuer.requests.length;
    expect(await stage.show({ ...(await keyOf('a')), kid: 'u-1' })).toBe(REFUSED);
    expect(issuer.requests).toHaveLength(calls + 1);
  });

  it('[34] adopts the reason from the snapshot of another replica, and writes no secret to the store', async () => {
    const clock = new ManualClock();
    const store = new FleetStore(clock);
    const first = await sceneWithUnusable({ clock, metadata: { store } });
    const second = await scene({ clock, at: first.issuer, metadata: { store } });
    expect(second.provider.snapshot()?.skippedWithId('u-1')?.fault).toBe('not-for-signatures');
    expect(JSON.stringify([...store.snapshots.values()])).not.toContain('c2VjcmV0');
  });
});
