import { describe, expect, it } from 'vitest';
import { keyOf, status, type Reply, type ScriptedIssuer } from '../support/issuers/scripted-issuer.js';
import { scene, type SceneOptions } from '../support/apps/scene.js';
import { FleetStore } from '../support/stores/memory-store.js';
import { ManualClock } from 'nestjs-resilient-auth/testing';

const ONE = 'https://issuer.test/jwks-one';
const TWO = 'https://issuer.test/jwks-two';
const LISTS = { jwksUri: [ONE, TWO] };

/** The keys published at each of the two addresses. */
async function publish(
  issuer: ScriptedIssuer,
  one: readonly string[],
  two: readonly string[],
): Promise<void> {
  const at = async (names: readonly string[]) => ({
    keys: await Promise.all(names.map(async (name) => (await keyOf(name)).jwk)),
  });
  const sets = new Map([
    [ONE, await at(one)],
    [TWO, await at(two)],
  ]);
  const reply: Reply = ({ url }) => Response.json(sets.get(url) ?? {});
  issuer.always('jwks', reply);
}

async function twoSets(options: SceneOptions = {}) {
  const stage = await scene({ issuer: LISTS, ...options, start: false });
  await publish(stage.issuer, ['a'], ['b']);
  await stage.provider.start();
  return stage;
}

describe('several key sets of one issuer', () => {
  it('accepts a token of each', async () => {
    const stage = await twoSets();
    expect(await stage.show('a')).toBe('accepted');
    expect(await stage.show('b')).toBe('accepted');
    expect(stage.provider.status()).toMatchObject({
      state: 'fresh',
      keyIds: ['a', 'b'],
      lastFailure: undefined,
    });
    expect(stage.issuer.calls('jwks')).toBe(2);
  });

  it('accepts a token of each when several discovery documents name the sets and this issuer', async () => {
    const addresses = ['one', 'two'].map((policy) => `https://issuer.test/.well-known/${policy}`);
    const stage = await scene({ issuer: { metadataAddress: addresses }, start: false });
    await publish(stage.issuer, ['a'], ['b']);
    stage.issuer.always('discovery', ({ url }) =>
      Response.json({ issuer: stage.issuer.url, jwks_uri: url.endsWith('one') ? ONE : TWO }),
    );
    await stage.provider.start();
    expect(await stage.show('a')).toBe('accepted');
    expect(await stage.show('b')).toBe('accepted');
  });

  it('follows a rollover of either in the same request', async () => {
    const stage = await twoSets();
    await publish(stage.issuer, ['a'], ['b', 'c']);
    expect(await stage.show('c')).toBe('accepted');
    await publish(stage.issuer, ['d'], ['b', 'c']);
    expect(await stage.show('d')).toBe('accepted');
    expect(await stage.show('a')).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
    expect(await stage.show('b')).toBe('accepted');
  });

  it('keeps the snapshot and reads each set once when nothing has changed', async () => {
    const stage = await twoSets();
    const before = stage.provider.snapshot();
    for (let i = 0; i < 3; i++) expect(await stage.provider.refreshNow()).toBe(before);
    expect(stage.issuer.calls('jwks')).toBe(2 * 4);
  });

  it('serves known keys and learns new ones while one set fails, and counts the refresh as failed', async () => {
    const stage = await twoSets();
    const { issuer, provider } = stage;
    await publish(issuer, [], ['b', 'c']);
    const healthy: Reply = async ({ url }) =>
      url === ONE
        ? new Response('', { status: 500 })
        : Response.json({ keys: [(await keyOf('b')).jwk, (await keyOf('c')).jwk] });
    issuer.always('jwks', healthy);
    expect(await stage.show('c')).toBe('accepted');
    expect(await stage.show('a')).toBe('accepted');
    expect(provider.status().lastFailure?.fault).toBe('status');
  });

  it('loads nothing when all of them fail at boot', async () => {
    const stage = await scene({ issuer: LISTS, start: false });
    stage.issuer.always('jwks', status(500));
    await stage.provider.start();
    expect(stage.provider.status()).toMatchObject({ state: 'empty', lastFailure: { fault: 'status' } });
  });

  it('keeps the key objects when a snapshot of the store was adopted before', async () => {
    const clock = new ManualClock();
    const store = new FleetStore(clock);
    const first = await twoSets({ clock, metadata: { store } });
    const second = await scene({ clock, at: first.issuer, issuer: LISTS, metadata: { store } });
    expect(second.provider.status().source).toBe('store');
    const before = second.provider.snapshot();
    expect(await second.provider.refreshNow()).toBe(before);
  });
});
