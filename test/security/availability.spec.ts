import { Authenticator, AuthError, MetadataProvider } from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it, vi } from 'vitest';
import { issuerAndApi, startApi, startIssuer } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { Bench } from '../support/apps/bench.js';
import { makeSigner } from '../support/issuers/signer.js';
import { keySetReads } from '../support/issuers/key-set-reads.js';
import { MINUTE, untilRefreshed } from '../support/clock/until-refreshed.js';
import { NegativeCache } from '../../lib/metadata/refresh/negative-cache.js';

const [{ create }] = platforms;

/** Plausible tokens of unknown keys, one after the other: none gets as far as the signature. */
async function floodedBy(count: number, bench: Bench) {
  let attempts = 0;
  const { app } = bench.api;
  const authenticator = app.get(Authenticator);
  app.get(MetadataProvider).events$.subscribe(({ type }) => (attempts += type === 'refresh-started' ? 1 : 0));
  const answers = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const token = bench.raw(bench.header({ kid: `unknown-${i}` }), bench.claims(), () => Buffer.alloc(64));
    const code = await authenticator.authenticate(token).then(() => 'ok', codeOf);
    answers.set(code, (answers.get(code) ?? 0) + 1);
  }
  return { answers, attempts };
}

function codeOf(error: unknown): string {
  return error instanceof AuthError ? error.code : String(error);
}

/** docs/security-checklist.md K: what keeps good tokens good, and the issuer in peace. */
describe('the key set', () => {
  it('[K1] [K14] refreshes on time when there is no traffic and the wall clock jumps', async () => {
    const clock = new ManualClock();
    const { issuer, api } = await issuerAndApi(create, {}, { clock });
    const { provider } = api;
    expect(keySetReads(issuer)).toBe(1);
    for (const year of [2036, 2016]) {
      clock.setWallClock(Date.UTC(year, 0, 1));
      await clock.advance(4 * MINUTE);
    }
    expect(keySetReads(issuer)).toBe(1);
    await untilRefreshed(clock, provider);
    expect(keySetReads(issuer)).toBe(2);
  });

  it.each([
    ['max-age=15', 1],
    ['max-age=0, no-store', 1],
    ['no-cache', 10],
    ['public, max-age=120', 2],
    ['max-age=86400', 10],
    ['max-age=99999999999999999999', 10],
    ['max-age=-5', 10],
  ])('[K2] refreshes after one to ten minutes, as Cache-Control says: %s', async (cacheControl, minutes) => {
    const clock = new ManualClock();
    const issuer = await startIssuer({ clock });
    issuer.respondWith('jwks', { 'cache-control': cacheControl });
    const api = await startApi(create, issuer.options(), { clock });
    const next = (api.app.get(MetadataProvider).status().nextRefreshAt?.getTime() ?? 0) - clock.now();
    expect(next).toBeGreaterThanOrEqual(minutes * MINUTE * 0.9);
    expect(next).toBeLessThanOrEqual(minutes * MINUTE * 1.1);
  });

  it('[K3] reads the key set once when a hundred requests have a new key, and accepts all of them', async () => {
    const { issuer, api } = await issuerAndApi(create, {}, { clock: new ManualClock() });
    await issuer.rotateKeys();
    const tokens = await Promise.all(Array.from({ length: 100 }, () => issuer.sign()));
    expect(new Set(await Promise.all(tokens.map((token) => api.statusOf(token))))).toEqual(new Set([200]));
    expect(keySetReads(issuer)).toBe(2);
  });

  it('[K4] makes no call when ten thousand malformed or unacceptable tokens come', async () => {
    await using bench = await Bench.open({ options: { metadata: { startup: 'lazy' } } });
    const stranger = makeSigner('ES256');
    const junk = [
      bench.tokenBy(stranger, { alg: 'HS256' }),
      bench.tokenBy(stranger, { crit: ['x'] }),
      bench.tokenBy(stranger, { typ: 'logout+jwt' }),
      bench.token({ iss: 'https://evil.example' }, { kid: 'x' }),
      bench.token({ aud: 'other' }, { kid: 'x' }),
      bench.token({ exp: 1 }, { kid: 'x' }),
      bench.token({ nbf: 4_000_000_000 }, { kid: 'x' }),
      bench.token({ cnf: {} }, { kid: 'x' }),
      'junk',
      '',
    ];
    const authenticator = bench.api.app.get(Authenticator);
    for (let i = 0; i < 1000; i++) {
      const refusals = await Promise.allSettled(junk.map((token) => authenticator.authenticate(token)));
      expect(refusals.every(({ status }) => status === 'rejected')).toBe(true);
    }
    expect(bench.issuer.requests).toEqual([]);
    await bench.admits(bench.token());
  });

  it('[K5] makes five attempts, its budget, when a thousand unknown keys come', async () => {
    await using bench = await Bench.open({
      options: { metadata: { refreshBurst: 5, refreshInterval: '1h' } },
    });
    const { answers, attempts } = await floodedBy(1000, bench);
    expect(attempts).toBe(5);
    expect(answers).toEqual(
      new Map([
        ['AUTH_TOKEN_SIGNATURE_INVALID', 5],
        ['AUTH_METADATA_UNAVAILABLE', 995],
      ]),
    );
    await bench.admits(bench.token());
  });

  it('[K5] makes no more attempts than its budget when they fail', async () => {
    const metadata = { refreshBurst: 5, refreshInterval: '1h', refreshWait: 0 };
    await using bench = await Bench.open({ options: { metadata } });
    bench.issuer.fail({ mode: { status: 500 } });
    const { answers, attempts } = await floodedBy(1000, bench);
    expect(attempts).toBeLessThanOrEqual(5);
    expect(answers).toEqual(new Map([['AUTH_METADATA_UNAVAILABLE', 1000]]));
    await bench.admits(bench.token());
  });

  it('[K5] reads the key set again when one rollover follows right after another', async () => {
    const { issuer, api } = await issuerAndApi(create, {}, { clock: new ManualClock() });
    for (let i = 0; i < 3; i++) {
      await issuer.rotateKeys();
      expect(await api.statusOf(await issuer.sign())).toBe(200);
    }
  });

  it('[K6] refreshes once when a missing key comes five times, and keeps at most a thousand missing key ids', async () => {
    const { issuer, api } = await issuerAndApi(create, {}, { clock: new ManualClock() });
    const unknown = await issuer.sign({}, { kid: 'unknown' });
    for (let i = 0; i < 5; i++) expect(await api.statusOf(unknown)).toBe(401);
    expect(keySetReads(issuer)).toBe(3);
    const memory = new NegativeCache(5000);
    for (let i = 0; i < 100_000; i++) memory.add(`kid-${i}`, 0);
    const held = Array.from({ length: 100_000 }, (_, i) => memory.has(`kid-${i}`, 1)).filter(Boolean);
    expect(held).toHaveLength(1000);
    expect(memory.has('kid-99999', 5000)).toBe(false);
  });

  it('[K7] accepts a new key after the next automatic refresh when a flood has used the budget up', async () => {
    const clock = new ManualClock();
    const { issuer, api } = await issuerAndApi(
      create,
      {
        metadata: { refreshBurst: 1, refreshInterval: '1h' },
      },
      { clock },
    );
    const { provider } = api;
    expect(await api.statusOf(await issuer.sign({}, { kid: 'unknown' }))).toBe(401);
    await issuer.rotateKeys();
    expect(await api.statusOf(await issuer.sign())).toBe(503);
    await untilRefreshed(clock, provider);
    expect(await api.statusOf(await issuer.sign())).toBe(200);
  });

  it('[M3] emits once that unknown keys have used the budget up, however many wait', async () => {
    const clock = new ManualClock();
    const { issuer, api } = await issuerAndApi(create, { metadata: { refreshBurst: 1 } }, { clock });
    const { provider } = api;
    const emitted: string[] = [];
    provider.events$.subscribe(({ type }) => emitted.push(type));
    const flood = await Promise.all(
      Array.from({ length: 20 }, (_, i) => issuer.sign({}, { kid: `unknown-${i}` })),
    );
    expect(await api.statusOf(flood[0] ?? '')).toBe(401);
    const answers = flood.slice(1).map((token) => api.statusOf(token));
    await vi.waitFor(() => expect(provider.status().waiting).toBe(19));
    expect(emitted.filter((type) => type === 'budget-exhausted')).toHaveLength(1);
    await clock.advance(5000);
    expect(new Set(await Promise.all(answers))).toEqual(new Set([401]));
    expect(emitted.filter((type) => type === 'budget-exhausted')).toHaveLength(1);
  });
});
