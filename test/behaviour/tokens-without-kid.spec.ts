import { describe, expect, it } from 'vitest';
import { scene, type Scene, type Watched } from '../support/apps/scene.js';
import { keyOf, unreachable, type ScenarioKey } from '../support/issuers/scripted-issuer.js';

const REJECTED = 'AUTH_TOKEN_SIGNATURE_INVALID';
const UNAVAILABLE = 'AUTH_METADATA_UNAVAILABLE';

/** Shows a token that names no key; each is another one. */
let count = 0;
const show = async (stage: Scene, key: string | ScenarioKey): Promise<Watched> =>
  stage.watch(await stage.issuer.sign(key, { jti: String(++count) }, { kid: undefined }));

/** Publishes keys that have no `kid`. */
async function publishWithoutKid(stage: Scene, ...names: string[]): Promise<void> {
  const keys = await Promise.all(names.map((name) => keyOf(name)));
  stage.issuer.published = keys.map(({ jwk }) => ({ ...jwk, kid: undefined }));
}

/** The two kinds of issuer whose tokens carry no `kid`, with a first key published and used. */
const kinds = [
  {
    kind: 'whose keys have no kid',
    publish: publishWithoutKid,
    start: async () => {
      const stage = await scene({ start: false });
      await publishWithoutKid(stage, 'k0');
      await stage.start();
      return stage;
    },
  },
  {
    kind: 'whose keys have a kid',
    publish: (stage: Scene, ...names: string[]) => stage.issuer.publish(...names),
    start: async () => {
      const stage = await scene({ keys: ['k0'] });
      expect(await (await show(stage, 'k0')).settled).toBe('accepted');
      return stage;
    },
  },
];

describe.each(kinds)('tokens without kid of an issuer $kind', ({ publish, start }) => {
  it('[27] accepts them after each of 20 rollovers when a forged token comes every second', async () => {
    const stage = await start();
    const forged = await keyOf('forged');
    const good: Watched[] = [];
    const bad: Watched[] = [];
    for (let rollover = 1; rollover <= 20; rollover++) {
      for (let second = 0; second < 15; second++) {
        bad.push(await show(stage, forged));
        await stage.clock.advance(500);
        if (second === 0) await publish(stage, `k${rollover}`);
        good.push(await show(stage, `k${rollover}`));
        await stage.clock.advance(500);
      }
    }
    await stage.clock.advance('20s');
    const outcomes = async (watched: readonly Watched[]) =>
      new Set(await Promise.all(watched.map(({ settled }) => settled)));
    expect(await outcomes(good)).toEqual(new Set(['accepted']));
    expect(await outcomes(bad)).toEqual(new Set([REJECTED]));
    // One refresh every refreshInterval, and those in hand at the start.
    expect(stage.attempts()).toBeLessThanOrEqual(320 / 5 + 5);
  });

  it('[27] accepts them right after a flood of forged kids', async () => {
    const stage = await start();
    await stage.exhaustBudget();
    for (let i = 0; i < 10; i++) stage.watch(await stage.issuer.sign('forged', {}, { kid: `forged-${i}` }));
    await publish(stage, 'k1');
    const waiting = await Promise.all([1, 2, 3].map(() => show(stage, 'k1')));
    await stage.clock.advance('6s');
    const outcomes = await Promise.all(waiting.map(({ settled }) => settled));
    expect(outcomes).toEqual(['accepted', 'accepted', 'accepted']);
  });

  it('[27] answers 503 in an outage when no known key verifies them', async () => {
    const stage = await start();
    stage.issuer.always('all', unreachable());
    await publish(stage, 'k1');
    expect(await (await show(stage, 'k1')).settled).toBe(UNAVAILABLE);
    expect(await (await show(stage, 'k0')).settled).toBe('accepted');
  });

  it('[27] rejects them after a refresh each when no key verifies them', async () => {
    const stage = await start();
    for (let i = 0; i < 3; i++) expect(await (await show(stage, 'forged')).settled).toBe(REJECTED);
    expect(stage.attempts()).toBe(3);
  });
});

describe('tokens without kid of an issuer that has not sent one before', () => {
  it('[27] rejects them like wrong signatures: in an outage too, with at most one refresh per interval', async () => {
    const stage = await scene();
    for (let i = 0; i < 3; i++) expect(await (await show(stage, 'b')).settled).toBe(REJECTED);
    expect(stage.attempts()).toBe(1);
    stage.issuer.always('all', unreachable());
    await stage.clock.advance('1m');
    expect(await (await show(stage, 'b')).settled).toBe(REJECTED);
  });

  it('[27] rejects them like wrong signatures when the only key without kid serves another algorithm', async () => {
    const rsa = await keyOf('rsa', { alg: 'RS256' });
    const stage = await scene({ start: false });
    stage.issuer.published = [{ ...rsa.jwk, kid: undefined }, (await keyOf('a')).jwk];
    await stage.start();
    for (let i = 0; i < 3; i++) expect(await (await show(stage, 'b')).settled).toBe(REJECTED);
    expect(stage.attempts()).toBe(1);
  });
});
