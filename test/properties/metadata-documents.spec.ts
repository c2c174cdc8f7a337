import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveAuthOptions } from '../../lib/options/resolve-options.js';
import { MetadataRefreshError, MetadataUnavailableError } from '../../lib/errors/metadata.errors.js';
import { IssuerMetadata } from '../../lib/keys/issuer-metadata.js';
import { algorithmPolicy } from '../../lib/keys/algorithms.js';
import { parseKeySet } from '../../lib/keys/parse-key-set.js';
import { parseDiscovery } from '../../lib/metadata/fetch/parse-discovery.js';
import { IssuerMetadataProvider } from '../../lib/metadata/issuer-metadata.provider.js';
import { ManualClock } from '../../lib/testing/manual-clock.js';
import { keyOf, ScriptedIssuer } from '../support/issuers/scripted-issuer.js';
import { jsonText, leaf, objectOf } from './arbitraries.js';
import { PATIENCE, runs } from './settings.js';

const ISSUER = 'https://issuer.test';
const POLICY = algorithmPolicy(['RS256', 'ES256', 'EdDSA', 'Ed25519']);
const JWK_MEMBERS = [
  'kty',
  'crv',
  'x',
  'y',
  'n',
  'e',
  'd',
  'k',
  'alg',
  'use',
  'key_ops',
  'kid',
  'x5c',
  'issuer',
  'pub',
];

const good = await Promise.all([
  keyOf('rsa', { alg: 'RS256' }),
  keyOf('ec', { alg: 'ES256' }),
  keyOf('okp', { alg: 'Ed25519' }),
]);
const goodTexts = good.map(({ jwk }) => JSON.stringify(jwk));

/** What the result of a judgement is: a value, or the one error there may be. */
async function judged<T>(judge: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await judge();
  } catch (error) {
    if (error instanceof MetadataRefreshError) return undefined;
    throw error;
  }
}

/** A good key with more or other members: JSON.parse takes the last one of a name. */
const disfigured = fc
  .tuple(fc.constantFrom(...goodTexts), objectOf(JWK_MEMBERS))
  .map(([key, more]) => (more === '{}' ? key : `${key.slice(0, -1)},${more.slice(1)}`));
/** A good key with one value exchanged. */
const exchanged = fc
  .tuple(fc.constantFrom(...goodTexts), fc.constantFrom(...JWK_MEMBERS), leaf)
  .map(([key, name, value]) => `${key.slice(0, -1)},"${name}":${value}}`);
const member = fc.oneof(disfigured, exchanged, objectOf(JWK_MEMBERS), jsonText(JWK_MEMBERS));

describe('any discovery document', { timeout: PATIENCE }, () => {
  it('returns an acceptable address of this issuer, or throws a MetadataRefreshError', async () => {
    const address = fc.oneof(
      fc.webUrl({ withFragments: true, withQueryParameters: true }),
      fc.constantFrom(
        'https://issuer.test/jwks',
        'http://issuer.test/jwks',
        'https://a:b@issuer.test/',
        'file:///etc',
      ),
      fc.string({ unit: 'binary' }),
    );
    const document = fc.oneof(
      jsonText(['issuer', 'jwks_uri']),
      objectOf(['issuer', 'jwks_uri']),
      fc.tuple(address, objectOf(['issuer', 'jwks_uri'])).map(([uri, more]) => {
        const start = `{"issuer":"${ISSUER}","jwks_uri":${JSON.stringify(uri)}`;
        return more === '{}' ? `${start}}` : `${start},${more.slice(1)}`;
      }),
    );
    let acceptances = 0;
    const property = fc.asyncProperty(document, async (text) => {
      const parsed: unknown = JSON.parse(text);
      const uri = await judged(() => parseDiscovery(parsed, ISSUER, true));
      if (uri === undefined) return;
      acceptances++;
      expect(parsed).toMatchObject({ issuer: ISSUER, jwks_uri: uri });
      expect(new URL(uri)).toMatchObject({ protocol: 'https:', username: '', password: '' });
    });
    await fc.assert(property, runs(1500));
    expect(acceptances).toBeGreaterThan(40);
  });
});

describe('any key set', { timeout: PATIENCE }, () => {
  it('returns keys or throws a MetadataRefreshError', async () => {
    const document = fc.oneof(
      jsonText(['keys']),
      objectOf(['keys']),
      fc.array(member, { maxLength: 5 }).map((members) => `{"keys":[${members.join(',')}]}`),
    );
    const property = fc.asyncProperty(document, async (text) => {
      const result = await judged(() => parseKeySet(JSON.parse(text), POLICY, undefined));
      expect(result?.keys.length).not.toBe(0);
    });
    await fc.assert(property, runs(1500));
  });

  it('keeps its good keys, with any members around them and however often it is read', async () => {
    const around = fc.array(member, { maxLength: 4 });
    const property = fc.asyncProperty(around, around, async (before, after) => {
      const document: unknown = JSON.parse(`{"keys":[${[...before, ...goodTexts, ...after].join(',')}]}`);
      const { keys, skipped } = await parseKeySet(document, POLICY, undefined);
      const jwks = keys.map(({ jwk }) => jwk);
      for (const { jwk } of good) expect(jwks).toContainEqual(jwk);
      expect(keys.length + skipped.length).toBeLessThanOrEqual(before.length + good.length + after.length);
      const known = new IssuerMetadata(ISSUER, `${ISSUER}/jwks`, keys);
      const again = new IssuerMetadata(
        ISSUER,
        `${ISSUER}/jwks`,
        (await parseKeySet(document, POLICY, known)).keys,
      );
      expect(again.equals(known)).toBe(true);
    });
    await fc.assert(property, runs(600));
  });

  it('rejects a member that is private, symmetric or for another use', async () => {
    const poison = fc.constantFrom(
      '"d":"AQAB"',
      '"k":"AQAB"',
      '"use":"enc"',
      '"key_ops":["encrypt"]',
      '"oth":[{}]',
    );
    const property = fc.asyncProperty(disfigured, poison, async (key, secret) => {
      const document: unknown = JSON.parse(`{"keys":[${key.slice(0, -1)},${secret}}]}`);
      expect(await judged(() => parseKeySet(document, POLICY, undefined))).toBeUndefined();
    });
    await fc.assert(property, runs(500));
  });

  // RFC 7517 §5: a member that is not understood is ignored, and the others are not.
  it('skips a member whose values throw when they are made into text', async () => {
    const traps = ['kty', 'crv', 'alg', 'kid', 'n', 'use'].map((name) => ({
      ...good[1]?.jwk,
      [name]: { toString: 1, valueOf: 1 },
    }));
    const { keys, skipped } = await parseKeySet({ keys: [...traps, good[0]?.jwk] }, POLICY, undefined);
    expect(keys.map(({ kid }) => kid)).toContain('rsa');
    expect(skipped.length).toBeGreaterThanOrEqual(4);
  });

  it('skips members nested too deep to be distinguished, each for itself', async () => {
    const deep = (key: string | undefined): string =>
      `${key?.slice(0, -1)},"deep":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    const document: unknown = JSON.parse(
      `{"keys":[${goodTexts[0]},${deep(goodTexts[1])},${deep(goodTexts[2])}]}`,
    );
    const { keys, skipped } = await parseKeySet(document, POLICY, undefined);
    expect(keys.map(({ kid }) => kid)).toEqual(['rsa']);
    expect(skipped.map(({ kid, fault }) => [kid, fault])).toEqual([
      ['ec', 'malformed'],
      ['okp', 'malformed'],
    ]);
  });
});

describe('any answer of the issuer', { timeout: PATIENCE }, () => {
  it('keeps the snapshot of a provider, or replaces it with a usable one', async () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
      fc
        .oneof(jsonText(['keys', 'issuer', 'jwks_uri']), objectOf(['keys', 'issuer', 'jwks_uri']))
        .map((text) => Buffer.from(text)),
      fc.array(member, { maxLength: 3 }).map((members) => Buffer.from(`{"keys":[${members.join(',')}]}`)),
    );
    const headers = fc.record(
      {
        age: fc.oneof(fc.nat().map(String), fc.constantFrom('-1', '1e9', 'x', '99999999999')),
        etag: fc.constantFrom('"a"', 'W/"a"', ''),
        'cache-control': fc.constantFrom('max-age=0', 'max-age=99999999999', 'no-store', 'max-age=-5'),
        'retry-after': fc.constantFrom('0', '5', '99999999999', 'soon', 'Wed, 21 Oct 2015 07:28:00 GMT'),
      },
      { requiredKeys: [] },
    );
    const reply = fc.record({
      body,
      headers,
      status: fc.constantFrom(200, 200, 200, 203, 302, 304, 404, 500, 503),
    });
    const replies = fc.record({ discovery: reply, jwks: reply, isLoaded: fc.boolean() });
    const property = fc.asyncProperty(replies, async ({ isLoaded, ...answers }) => {
      const clock = new ManualClock();
      const issuer = new ScriptedIssuer(clock);
      await issuer.publish(...good);
      const [options] = resolveAuthOptions(
        { issuer: issuer.url, audience: 'api', metadata: { fetch: issuer.fetch, startup: 'wait' } },
        {},
      ).issuers;
      if (!options) throw new Error('no issuer');
      const provider = new IssuerMetadataProvider(options.metadata, clock, () => 0.5);
      if (isLoaded) await provider.start();
      const before = provider.snapshot();
      for (const endpoint of ['discovery', 'jwks'] as const) {
        const { status, body: text, headers: extra } = answers[endpoint];
        issuer.always(
          endpoint,
          () => new Response(status === 304 ? null : text, { status, headers: { ...extra } }),
        );
      }
      const after = await provider.refreshNow().catch((error: unknown) => {
        if (error instanceof MetadataUnavailableError) return before;
        throw error;
      });
      expect(provider.snapshot()).toBe(after);
      expect(after?.keys.length).not.toBe(0);
      provider.close();
      expect(clock.pendingTimers).toBe(0);
    });
    await fc.assert(property, runs(300));
  });
});
