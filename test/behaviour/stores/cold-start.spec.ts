import type { StoredMetadata } from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it } from 'vitest';
import { MemoryStore, type StoreTrouble } from '../../support/stores/memory-store.js';
import { keyOf, ScriptedIssuer, status } from '../../support/issuers/scripted-issuer.js';
import { scene, type Scene, until } from '../../support/apps/scene.js';

const MINUTE = 60_000;
const TROUBLES: readonly StoreTrouble[] = ['rejects', 'throws', 'hangs'];

/** A store as a process before this one has left it. */
async function storeOf(
  clock: ManualClock,
  ageOfCheck: number,
  change: Readonly<Record<string, unknown>> = {},
): Promise<MemoryStore> {
  const store = new MemoryStore();
  const { jwk } = await keyOf('a');
  const left: StoredMetadata = {
    issuer: 'https://issuer.test',
    jwksUri: 'https://issuer.test/jwks',
    keys: [{ ...jwk }],
    checkedAt: clock.now() - ageOfCheck,
    ...change,
  };
  store.snapshots.set('https://issuer.test', left);
  return store;
}

/** A process that starts with it. */
async function restart(
  store: MemoryStore,
  clock: ManualClock,
  { isIssuerDown = true, metadata = {} } = {},
): Promise<Scene> {
  const issuer = new ScriptedIssuer(clock);
  await issuer.publish('a');
  if (isIssuerDown) issuer.always('all', status(503));
  return scene({ clock, at: issuer, metadata: { store, ...metadata } });
}

describe('a cold start with a store', () => {
  it('[36] serves from a snapshot within the refresh interval when the issuer is down', async () => {
    const clock = new ManualClock();
    const stage = await restart(await storeOf(clock, 5 * MINUTE), clock);
    expect(await stage.show('a')).toBe('accepted');
    expect(stage.issuer.requests).toEqual([]);
    expect(stage.provider.status()).toMatchObject({ state: 'fresh', source: 'store', keyIds: ['a'] });
    expect(stage.emitted('snapshot-received')).toEqual([expect.objectContaining({ changed: true })]);
  });

  it('[36] serves from the snapshot without a call when the issuer is up, and refreshes when that is due', async () => {
    const clock = new ManualClock();
    const stage = await restart(await storeOf(clock, 5 * MINUTE), clock, { isIssuerDown: false });
    expect(stage.issuer.requests).toEqual([]);
    await clock.advance(5 * MINUTE);
    expect(stage.attempts('automatic')).toBe(1);
    await until(() => stage.provider.status().source === 'issuer');
    expect(stage.provider.status().state).toBe('fresh');
  });

  it('[36] verifies the first token with the snapshot when startup is lazy', async () => {
    const clock = new ManualClock();
    const stage = await restart(await storeOf(clock, MINUTE), clock, { metadata: { startup: 'lazy' } });
    expect(await stage.show('a')).toBe('accepted');
    expect(stage.issuer.requests).toEqual([]);
  });

  it('[36] boots from a snapshot of any age when startup is require', async () => {
    for (const age of [MINUTE, 60 * MINUTE]) {
      const clock = new ManualClock();
      const stage = await restart(await storeOf(clock, age), clock, { metadata: { startup: 'require' } });
      expect(await stage.show('a')).toBe('accepted');
    }
  });

  it('[36] serves from an older snapshot only when the issuer could not be reached', async () => {
    const clock = new ManualClock();
    const store = await storeOf(clock, 60 * MINUTE);
    const down = await restart(store, clock);
    expect(down.issuer.requests).toHaveLength(1);
    expect(await down.show('a')).toBe('accepted');
    expect(down.provider.status()).toMatchObject({ state: 'stale', source: 'store' });

    const up = await restart(await storeOf(clock, 60 * MINUTE), clock, { isIssuerDown: false });
    expect(up.provider.status()).toMatchObject({ state: 'fresh', source: 'issuer' });
    expect(up.emitted('snapshot-received')).toEqual([]);
  });

  it('[36] replaces an older snapshot once the issuer is back', async () => {
    const clock = new ManualClock();
    const stage = await restart(await storeOf(clock, 60 * MINUTE), clock);
    stage.issuer.recover();
    await stage.issuer.publish('b');
    await clock.advance('1m');
    expect(await stage.show('b')).toBe('accepted');
    expect(await stage.show('a')).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
    expect(stage.provider.status()).toMatchObject({ state: 'fresh', source: 'issuer' });
  });

  it.each([
    ['too old', 25 * 60 * MINUTE, {}, 'too-old'],
    ['of another issuer', MINUTE, { issuer: 'https://other.test' }, 'wrong-issuer'],
    ['without keys', MINUTE, { keys: [] }, 'malformed'],
    ['with a key that is no object', MINUTE, { keys: [7] }, 'malformed'],
    ['with junk for keys', MINUTE, { keys: 'all of them' }, 'malformed'],
    ['with an address that is no https', MINUTE, { jwksUri: 'http://issuer.test/jwks' }, 'malformed'],
    ['with no time', MINUTE, { checkedAt: 'now' }, 'malformed'],
    ['with a fence that is no number', MINUTE, { fence: '7' }, 'malformed'],
  ])('[36] rejects a snapshot %s, and emits why', async (_what, age, change, fault) => {
    const clock = new ManualClock();
    const stage = await restart(await storeOf(clock, age, change), clock);
    const early = stage.watch(await stage.issuer.sign('a'));
    await clock.advance('10s');
    expect(early.outcome).toBe('AUTH_METADATA_UNAVAILABLE');
    const [refused] = stage.emitted('snapshot-refused');
    expect(refused?.error.fault).toBe(fault);
    stage.issuer.recover();
    await clock.advance('1m');
    expect(await stage.show('a')).toBe('accepted');
  });

  it.each([[null], [7], ['junk'], [[]]])(
    '[36] fetches from the issuer when the store holds %j in place of a snapshot',
    async (junk) => {
      const clock = new ManualClock();
      const store = await storeOf(clock, MINUTE);
      Object.assign(store, { load: () => Promise.resolve(junk) });
      const stage = await restart(store, clock, { isIssuerDown: false });
      expect(await stage.show('a')).toBe('accepted');
      expect(stage.provider.status().source).toBe('issuer');
    },
  );

  it('[36] fetches from the issuer first when the snapshot claims to be checked in the future', async () => {
    const clock = new ManualClock();
    const stage = await restart(await storeOf(clock, -10 * MINUTE), clock, { isIssuerDown: false });
    expect(stage.provider.status().source).toBe('issuer');
  });

  it('[39] counts the age of a stored snapshot from its check, not from its load', async () => {
    const clock = new ManualClock();
    const metadata = { lastKnownGoodLifetime: '1h' };
    const stage = await restart(await storeOf(clock, 6 * MINUTE), clock, { metadata });
    const { checkedAt, expiresAt } = stage.provider.status();
    expect(checkedAt).toEqual(new Date(clock.now() - 6 * MINUTE));
    expect(expiresAt).toEqual(new Date(clock.now() + 64 * MINUTE));
    await clock.advance('63m');
    expect(await stage.show('a')).toBe('accepted');
    await clock.advance('2m');
    const late = stage.watch(await stage.issuer.sign('a'));
    await clock.advance('10s');
    expect(late.outcome).toBe('AUTH_METADATA_UNAVAILABLE');
  });

  it.each(TROUBLES)('[37] boots within the deadline of the store when it %s', async (trouble) => {
    const clock = new ManualClock();
    const store = await storeOf(clock, MINUTE);
    store.trouble = trouble;
    const starting = restart(store, clock, { isIssuerDown: false });
    await clock.advance('1s');
    const stage = await starting;
    expect(await stage.show('a')).toBe('accepted');
    expect(stage.provider.status().store).toMatchObject({ state: 'failing' });
  });
});
