import { describe, expect, it } from 'vitest';
import { logMetadataEvents } from '../../lib/metadata/metadata-log.js';
import { keyOf, status, text, unreachable } from '../support/issuers/scripted-issuer.js';
import { FleetStore, MemoryStore } from '../support/stores/memory-store.js';
import { scene, settle, type Scene, type SceneOptions } from '../support/apps/scene.js';

type Line = readonly [level: string, text: string];

/** A scene with its log, from the first load on. */
async function logged(options: SceneOptions = {}): Promise<{ stage: Scene; lines: Line[] }> {
  const stage = await scene({ ...options, start: false });
  const lines: Line[] = [];
  const at = (level: string) => (line: string) => void lines.push([level, line]);
  logMetadataEvents(stage.provider, { log: at('log'), warn: at('warn'), error: at('error') });
  return { stage, lines };
}

async function refreshFailing({ provider }: Scene): Promise<void> {
  await expect(provider.refreshNow()).rejects.toThrow('The refresh failed');
}

describe('the log of the metadata', () => {
  it('logs that the key set was loaded, not that it changed, when it is the first', async () => {
    const { stage, lines } = await logged({ keys: ['a', 'b'] });
    await stage.provider.start();
    expect(lines).toEqual([['log', 'https://issuer.test: key set loaded, keys [a, b]']]);
  });

  it('logs nothing when a member changes that states nothing of the key', async () => {
    const { stage, lines } = await logged();
    await stage.provider.start();
    stage.issuer.published = [{ ...(await keyOf('a')).jwk, x5t: 'AQAB' }];
    await stage.provider.refreshNow();
    expect(stage.emitted('metadata-changed')).toHaveLength(2);
    expect(lines).toHaveLength(1);
  });

  it('names the key ids whose key is another one, and the new address of the key set', async () => {
    const { stage, lines } = await logged();
    await stage.provider.start();
    stage.issuer.jwksUri = 'https://issuer.test/jwks-2';
    await stage.issuer.publish(await keyOf('a', { material: 'new' }));
    await stage.provider.refreshNow();
    expect(lines.at(-1)?.[1]).toContain('replaced [a], now at https://issuer.test/jwks-2');
  });

  it('logs a line when a failure is of another kind than the last, and one per row of equal ones', async () => {
    const { stage, lines } = await logged();
    await stage.provider.start();
    const { issuer } = stage;
    for (const reply of [
      unreachable(),
      unreachable(),
      status(500),
      status(500),
      status(403),
      text('<html>'),
    ]) {
      issuer.always('all', reply);
      await refreshFailing(stage);
    }
    const kinds = lines.slice(1).map(([, line]) => /failed \((.*?)\).*?(\d{3})?$/.exec(line)?.slice(1));
    expect(kinds).toEqual([
      ['unreachable', undefined],
      ['status', '500'],
      ['status', '403'],
      ['not-json', undefined],
    ]);
  });

  it.each([
    ['unknown key ids', 'unknown-key-ids', ' by unknown key ids'],
    ['failing refreshes', 'failures', ' by failing refreshes'],
    ['rollovers', 'other', ''],
  ] as const)('names what exhausted the budget when it was %s', async (_what, cause, words) => {
    const { stage, lines } = await logged({ metadata: { refreshBurst: 2, refreshWait: '60s' } });
    await stage.provider.start();
    const { clock, issuer } = stage;
    if (cause === 'failures') issuer.always('all', status(500));
    for (let i = 0; i < 2; i++) {
      if (cause === 'other') await issuer.publish('a', `new-${i}`);
      await stage.show(`new-${i}`);
      if (cause === 'failures') await clock.advance(2000);
    }
    const waiting = stage.watch(await issuer.sign('one-more'));
    await settle();
    expect(stage.emitted('budget-exhausted')).toMatchObject([{ cause }]);
    expect(lines.at(-1)?.[1]).toContain(`refresh budget exhausted${words};`);
    await clock.advance('60s');
    await waiting.settled;
  });

  it('names each member of a key set that is rejected as a whole, and a leaked private key at error level', async () => {
    const { stage, lines } = await logged();
    await stage.provider.start();
    stage.issuer.published = [
      { kty: 'RSA', kid: 'weak', n: 'AQAB', e: 'AQAB' },
      { ...(await keyOf('a')).jwk, kid: 'leaked', d: 'AQAB' },
    ];
    for (let i = 0; i < 3; i++) await refreshFailing(stage);
    expect(lines.slice(1).map(([level]) => level)).toEqual(['warn', 'error', 'warn']);
    expect(
      lines
        .slice(1)
        .map(([, line]) => line)
        .join(),
    ).toMatch(/weak.*leaked.*no-usable-key.*weak.*leaked/);
  });

  it('names the target of a redirect, without its query', async () => {
    const { stage, lines } = await logged();
    const location = '/login?secret=s3cr3t\u202e';
    stage.issuer.always(
      'all',
      () => new Response(null, { status: 302, headers: { location: encodeURI(location) } }),
    );
    await stage.provider.start();
    expect(lines.at(-1)?.[1]).toContain('to https://issuer.test/login;');
    expect(lines.at(-1)?.[1]).not.toContain('s3cr3t');
  });

  it('names this library as what protects the key set when the answer is 401 with its error code', async () => {
    const { stage, lines } = await logged();
    stage.issuer.always('jwks', () => Response.json({ errorCode: 'AUTH_TOKEN_MISSING' }, { status: 401 }));
    await stage.provider.start();
    expect(lines.at(-1)?.[1]).toContain('@AllowAnonymous()');
    stage.issuer.always('jwks', () => Response.json({ error: 'SECRET' }, { status: 401 }));
    await refreshFailing(stage);
    expect(stage.provider.status().lastFailure?.message).toMatch(/answered 401$/);
  });

  it('reports a fault of the code at error level, not as an issuer that is unreachable', async () => {
    const { stage, lines } = await logged();
    // A fetch of the user's own, with a fault.
    stage.issuer.always('all', () =>
      Object.defineProperty(Response.json({}), 'headers', { value: undefined }),
    );
    await stage.provider.start();
    expect(stage.provider.status().lastFailure?.fault).toBe('defect');
    expect(lines.at(-1)).toEqual(['error', expect.stringContaining('TypeError')]);
  });

  it('logs one bounded line without control or format characters when an error holds such text', async () => {
    const evil = `first\r\nsecond \u001b[31m \u202e\u2066 \u2028 \ufeff${'x'.repeat(100_000)}`;
    const store = new MemoryStore();
    store.save = () => Promise.reject(new Error(evil));
    const { stage, lines } = await logged({ metadata: { store } });
    await stage.provider.start();
    await settle();
    stage.issuer.always('all', () => {
      throw new TypeError('fetch failed', { cause: new Error(evil) });
    });
    await refreshFailing(stage);
    const { lastFailure, store: health } = stage.provider.status();
    const texts = [
      ...lines.map(([, line]) => line),
      lastFailure?.message ?? '',
      health?.lastFailure?.message ?? '',
    ];
    expect(texts.filter((line) => line.includes('first'))).toHaveLength(4);
    for (const line of texts) {
      expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      expect(line.length).toBeLessThan(1100);
    }
  });

  it('logs one line per replica when it starts, and none for the check of another replica', async () => {
    const { stage, lines } = await logged();
    const store = new FleetStore(stage.clock);
    const other = await logged({ clock: stage.clock, at: stage.issuer, metadata: { store } });
    await other.stage.provider.start();
    await stage.provider.start();
    expect(lines).toHaveLength(1);
    expect(other.lines).toHaveLength(1);
  });
});
