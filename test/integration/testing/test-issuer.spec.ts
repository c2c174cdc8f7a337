import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  exportSPKI,
  importJWK,
  jwtVerify,
  type JSONWebKeySet,
  type JWTVerifyResult,
} from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import type { ResilientAuthOptions } from '../../../lib/auth.options.js';
import {
  ManualClock,
  TestIssuer,
  type TestIssuerFault,
  type TestIssuerOptions,
} from '../../../lib/testing/index.js';

const started: TestIssuer[] = [];

async function start(options?: TestIssuerOptions): Promise<TestIssuer> {
  const issuer = await TestIssuer.start(options);
  started.push(issuer);
  return issuer;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((issuer) => issuer.close()));
});

async function keySet(issuer: TestIssuer): Promise<JSONWebKeySet> {
  const document: unknown = await (await fetch(issuer.jwksUri)).json();
  if (!isKeySet(document)) throw new Error('not a key set');
  return document;
}

function isKeySet(document: unknown): document is JSONWebKeySet {
  return (
    typeof document === 'object' && document !== null && 'keys' in document && Array.isArray(document.keys)
  );
}

async function kids(issuer: TestIssuer): Promise<(string | undefined)[]> {
  return (await keySet(issuer)).keys.map((key) => key.kid);
}

/** With its key made and everything failing. */
async function failing(mode: TestIssuerFault): Promise<TestIssuer> {
  const issuer = await start({ alg: 'ES256' });
  await issuer.signingKey();
  issuer.fail({ mode });
  return issuer;
}

/** Verifies against what the issuer publishes now. */
async function verify(issuer: TestIssuer, token: string): Promise<JWTVerifyResult> {
  const currentDate = new Date((decodeJwt(token).iat ?? 0) * 1000);
  return jwtVerify(token, createLocalJWKSet(await keySet(issuer)), { issuer: issuer.url, currentDate });
}

async function discovery(issuer: TestIssuer): Promise<unknown> {
  return (await fetch(issuer.metadataAddress)).json();
}

describe('TestIssuer', () => {
  describe('metadata', () => {
    it('names itself and its key set where OpenID Connect Discovery says', async () => {
      const issuer = await start();
      expect(issuer.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      expect(issuer.metadataAddress).toBe(`${issuer.url}/.well-known/openid-configuration`);
      expect(await discovery(issuer)).toMatchObject({ issuer: issuer.url, jwks_uri: issuer.jwksUri });
      expect((await fetch(`${issuer.url}/.well-known/oauth-authorization-server`)).status).toBe(404);
    });

    it.each([
      ['/realms/shop', '/realms/shop/.well-known/openid-configuration'],
      ['/', '/.well-known/openid-configuration'],
      ['/{tenantid}/v2.0', '/{tenantid}/v2.0/.well-known/openid-configuration'],
    ])('names an issuer with path %s', async (issuerPath, metadataPath) => {
      const issuer = await start({ issuerPath, alg: 'ES256' });
      expect(issuer.url.endsWith(issuerPath)).toBe(true);
      expect(issuer.metadataAddress.endsWith(metadataPath)).toBe(true);
      expect(await discovery(issuer)).toMatchObject({ issuer: issuer.url });
      expect((await verify(issuer, await issuer.sign())).payload.iss).toBe(issuer.url);
    });

    it("answers at RFC 8414's place and only there when configured to", async () => {
      const issuer = await start({ metadata: 'oauth', issuerPath: '/realms/shop' });
      const { origin } = new URL(issuer.url);
      expect(issuer.metadataAddress).toBe(`${origin}/.well-known/oauth-authorization-server/realms/shop`);
      expect(await discovery(issuer)).toMatchObject({ issuer: issuer.url });
      expect((await fetch(`${issuer.url}/.well-known/openid-configuration`)).status).toBe(404);
    });

    it('publishes public keys only', async () => {
      const issuer = await start({ alg: 'ES256' });
      const { kid } = await issuer.signingKey();
      const [key] = (await keySet(issuer)).keys;
      expect(Object.keys(key ?? {}).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
      expect(key).toMatchObject({ kid, alg: 'ES256', use: 'sig' });
    });

    it.each(['metadataAddress', 'jwksUri'] as const)(
      'answers 304 when the caller has the body of its %s, and 200 after a change',
      async (address) => {
        const issuer = await start({ alg: 'ES256' });
        const etag = (await fetch(issuer[address])).headers.get('etag') ?? '';
        expect(etag).toMatch(/^"[\w-]+"$/);
        const headers = { 'if-none-match': `"other", W/${etag}` };
        const second = await fetch(issuer[address], { headers });
        expect([second.status, second.headers.get('etag'), await second.text()]).toEqual([304, etag, '']);
        await issuer.rotateKeys();
        issuer.moveJwks();
        expect((await fetch(issuer[address], { headers })).status).toBe(200);
      },
    );

    it('adds the headers a test asks for, to 304 answers as well', async () => {
      const issuer = await start({ alg: 'ES256' });
      issuer.respondWith('jwks', { 'Cache-Control': 'max-age=15', age: '3600' });
      const first = await fetch(issuer.jwksUri);
      expect([first.headers.get('cache-control'), first.headers.get('age')]).toEqual(['max-age=15', '3600']);
      const again = await fetch(issuer.jwksUri, {
        headers: { 'if-none-match': first.headers.get('etag') ?? '' },
      });
      expect([again.status, again.headers.get('age')]).toEqual([304, '3600']);
      expect((await fetch(issuer.metadataAddress)).headers.get('age')).toBeNull();
      issuer.respondWith('all', {});
      expect((await fetch(issuer.jwksUri)).headers.get('age')).toBeNull();
      expect(() => issuer.respondWith('jwks', { age: 'a\nb' })).toThrow('Invalid character');
    });
  });

  describe('options', () => {
    it('returns options that trust this issuer over plain HTTP', async () => {
      const issuer = await start({ audience: ['a', 'b'] });
      const options: ResilientAuthOptions = issuer.options();
      expect(options).toEqual({
        issuer: issuer.url,
        audience: ['a', 'b'],
        metadata: { requireHttps: false },
      });
      expect((await start({ name: 'staff' })).options().name).toBe('staff');
    });

    it('applies overrides, metadata member by member, and ignores undefined', async () => {
      const issuer = await start();
      const overrides = { tokenCache: false, audience: null, metadata: { timeout: '1s' } } as const;
      expect(issuer.options(overrides)).toEqual({
        issuer: issuer.url,
        audience: null,
        tokenCache: false,
        metadata: { requireHttps: false, timeout: '1s' },
      });
      const silent = { issuer: undefined, audience: undefined, metadata: { requireHttps: undefined } };
      expect(issuer.options(silent)).toEqual(issuer.options());
    });
  });

  describe('sign', () => {
    it('returns an access token of RFC 9068 by default', async () => {
      const clock = new ManualClock(Date.UTC(2026, 4, 1));
      const issuer = await start({ audience: 'orders', clock });
      const { payload, protectedHeader } = await verify(issuer, await issuer.sign());
      const iat = Date.UTC(2026, 4, 1) / 1000;
      const { kid } = await issuer.signingKey();
      expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'at+jwt', kid });
      expect(payload).toEqual({
        iss: issuer.url,
        aud: 'orders',
        sub: 'test-subject',
        client_id: 'test-client',
        iat,
        exp: iat + 300,
        jti: expect.any(String),
      });
      expect(decodeJwt(await issuer.sign()).jti).not.toBe(payload.jti);
    });

    it('uses the machine clock when no other is given', async () => {
      const issuer = await start({ alg: 'ES256' });
      const remote = createRemoteJWKSet(new URL(issuer.jwksUri));
      const expected = { issuer: issuer.url, audience: 'api' };
      const { payload } = await jwtVerify(await issuer.sign({ sub: 'alice' }), remote, expected);
      expect(payload.sub).toBe('alice');
    });

    it("applies the caller's claims, and removes those that are undefined", async () => {
      const issuer = await start({ alg: 'ES256' });
      const payload = decodeJwt(
        await issuer.sign({ sub: 'alice', scope: 'a b', jti: undefined, exp: 'soon' }),
      );
      expect(payload).toMatchObject({ sub: 'alice', scope: 'a b', exp: 'soon' });
      expect(payload).not.toHaveProperty('jti');
    });

    it.each([
      ['1h', 3600],
      [90_000, 90],
      ['-5m', -300],
      [-1000, -1],
    ])('returns a token with a lifetime of %s', async (expiresIn, seconds) => {
      const issuer = await start({ alg: 'ES256', clock: new ManualClock() });
      const { iat = 0, exp = 0 } = decodeJwt(await issuer.sign({}, { expiresIn }));
      expect(exp - iat).toBe(seconds);
    });

    it('rejects a lifetime without a unit', async () => {
      const issuer = await start({ alg: 'ES256' });
      await expect(issuer.sign({}, { expiresIn: '60' })).rejects.toThrow('cannot read the duration "60"');
    });

    it.each([
      'RS256',
      'RS384',
      'RS512',
      'PS256',
      'PS384',
      'PS512',
      'ES256',
      'ES384',
      'ES512',
      'EdDSA',
      'Ed25519',
    ])('signs with %s, with a key made and published on first use', async (alg) => {
      const issuer = await start({ alg: 'ES256' });
      const before = await kids(issuer);
      const { protectedHeader } = await verify(issuer, await issuer.sign({}, { alg }));
      expect(protectedHeader.alg).toBe(alg);
      const other = decodeProtectedHeader(await issuer.sign({}, { alg }));
      expect(other.kid).toBe(protectedHeader.kid);
      expect(await kids(issuer)).toHaveLength(alg === 'ES256' ? before.length : before.length + 1);
      expect(decodeProtectedHeader(await issuer.sign()).alg).toBe('ES256');
    });

    it('creates one key per algorithm when first tokens are signed at once', async () => {
      const issuer = await start();
      const tokens = await Promise.all([
        issuer.sign(),
        issuer.sign(),
        issuer.sign({}, { alg: 'ES256' }),
        issuer.sign({}, { alg: 'ES256' }),
      ]);
      expect(new Set(tokens.map((token) => decodeProtectedHeader(token).kid)).size).toBe(2);
      expect(await kids(issuer)).toHaveLength(2);
    });

    it('rejects algorithms it cannot make a key for, at the start as well', async () => {
      const issuer = await start({ alg: 'ES256' });
      await expect(issuer.sign({}, { alg: 'HS256' })).rejects.toThrow('no keys for alg "HS256"');
      await expect(TestIssuer.start({ alg: 'none' })).rejects.toThrow('no keys for alg "none"');
    });

    it('signs with the key that a kid names, published or not', async () => {
      const issuer = await start({ alg: 'ES256' });
      const { kid } = await issuer.publishKey();
      const token = await issuer.sign({}, { kid });
      expect((await verify(issuer, token)).protectedHeader.kid).toBe(kid);
      issuer.removeKey(kid);
      expect(decodeProtectedHeader(await issuer.sign({}, { kid })).kid).toBe(kid);
    });

    it('writes an unknown kid, or none, over the signature of the signing key', async () => {
      const issuer = await start({ alg: 'ES256' });
      const [published] = (await keySet(issuer)).keys;
      const key = await importJWK(published ?? {}, 'ES256');
      const unknown = await jwtVerify(await issuer.sign({}, { kid: 'unknown' }), key);
      expect(unknown.protectedHeader.kid).toBe('unknown');
      const without = await jwtVerify(await issuer.sign({}, { kid: undefined }), key);
      expect(without.protectedHeader).not.toHaveProperty('kid');
    });

    it('signs with one RSA key under several algorithms, but never mixes kinds', async () => {
      const issuer = await start();
      const { kid } = await issuer.publishKey({ jwk: { alg: undefined } });
      expect((await verify(issuer, await issuer.sign({}, { kid, alg: 'PS256' }))).protectedHeader).toEqual({
        alg: 'PS256',
        typ: 'at+jwt',
        kid,
      });
      const confused = await issuer.sign({}, { kid, alg: 'ES256' });
      expect(decodeProtectedHeader(confused)).toMatchObject({ kid, alg: 'ES256' });
      await expect(verify(issuer, confused)).rejects.toThrow(errors.JWKSNoMatchingKey);
    });

    it('writes typ and further header members as asked', async () => {
      const issuer = await start({ alg: 'ES256' });
      const { kid } = await issuer.signingKey();
      expect(decodeProtectedHeader(await issuer.sign({}, { typ: 'JWT' })).typ).toBe('JWT');
      expect(decodeProtectedHeader(await issuer.sign({}, { typ: null }))).not.toHaveProperty('typ');
      const header = { jku: 'https://evil.example', crit: ['x'], x: 1 };
      expect(decodeProtectedHeader(await issuer.sign({}, { header }))).toEqual({
        alg: 'ES256',
        typ: 'at+jwt',
        kid,
        ...header,
      });
    });

    it('signs with a key of the caller under the header of the signing key', async () => {
      const issuer = await start();
      const { kid } = await issuer.signingKey();
      const [published] = (await keySet(issuer)).keys;
      const key = await importJWK(published ?? {}, 'RS256');
      if (key instanceof Uint8Array) throw new Error('not a public key');
      const secret = new TextEncoder().encode(await exportSPKI(key));
      const forged = await issuer.sign({ sub: 'mallory' }, { alg: 'HS256', key: secret });
      expect((await jwtVerify(forged, secret)).protectedHeader).toEqual({ alg: 'HS256', typ: 'at+jwt', kid });
      expect(await kids(issuer)).toEqual([kid]);
    });
  });

  describe('keys', () => {
    it('publishes the new key beside the old one when it rolls over', async () => {
      const issuer = await start({ alg: 'ES256' });
      const old = await issuer.sign();
      const { kid } = await issuer.rotateKeys();
      expect((await verify(issuer, await issuer.sign())).protectedHeader.kid).toBe(kid);
      await verify(issuer, old);
      expect(await kids(issuer)).toEqual([decodeProtectedHeader(old).kid, kid]);
    });

    it('withdraws every old key when it rolls over without overlap, to another algorithm', async () => {
      const issuer = await start({ alg: 'ES256' });
      const old = await issuer.sign();
      const aside = await issuer.sign({}, { alg: 'ES384' });
      const { kid } = await issuer.rotateKeys({ keepOld: false, alg: 'EdDSA' });
      expect(await kids(issuer)).toEqual([kid]);
      for (const token of [old, aside]) {
        await expect(verify(issuer, token)).rejects.toThrow(errors.JWKSNoMatchingKey);
      }
      for (const options of [{}, { alg: 'ES256' }, { alg: 'ES384' }]) {
        await verify(issuer, await issuer.sign({}, options));
      }
    });

    it('publishes its first key too when a rollover is the first call', async () => {
      const issuer = await start({ alg: 'ES256' });
      const { kid } = await issuer.rotateKeys();
      expect(await kids(issuer)).toEqual([expect.any(String), kid]);
    });

    it('publishes a key that does not sign until it is used', async () => {
      const issuer = await start({ alg: 'ES256' });
      const { kid: first } = await issuer.signingKey();
      const { kid } = await issuer.publishKey({ alg: 'ES384', kid: 'chosen' });
      expect(kid).toBe('chosen');
      expect(await issuer.signingKey()).toEqual({ kid: first, alg: 'ES256' });
      expect(decodeProtectedHeader(await issuer.sign({}, { alg: 'ES384' })).kid).toBe('chosen');
      issuer.useKey(kid);
      expect(await issuer.signingKey()).toEqual({ kid, alg: 'ES384' });
      await verify(issuer, await issuer.sign());
      await expect(issuer.publishKey({ kid })).rejects.toThrow('has a key "chosen" already');
    });

    it('publishes keys with other members, and members that are no keys', async () => {
      const issuer = await start({ alg: 'ES256' });
      const { kid } = await issuer.publishKey({
        use: 'enc',
        jwk: { issuer: 'https://a.example', x: undefined },
      });
      issuer.publishRaw(null);
      issuer.publishRaw({ kty: 'oct', kid: 'raw', k: 'AA' });
      const [, changed, ...raw] = (await keySet(issuer)).keys;
      expect(changed).toMatchObject({ kid, use: 'enc', issuer: 'https://a.example' });
      expect(changed).not.toHaveProperty('x');
      expect(raw).toEqual([null, { kty: 'oct', kid: 'raw', k: 'AA' }]);
      issuer.removeKey('raw');
      expect((await keySet(issuer)).keys).toHaveLength(3);
      expect((await issuer.signingKey()).kid).not.toBe(kid);
    });

    it('withdraws a key and still signs with it', async () => {
      const issuer = await start({ alg: 'ES256' });
      const { kid } = await issuer.signingKey();
      await issuer.publishKey();
      issuer.removeKey(kid);
      expect(await kids(issuer)).not.toContain(kid);
      const token = await issuer.sign();
      expect(decodeProtectedHeader(token).kid).toBe(kid);
      await expect(verify(issuer, token)).rejects.toThrow(errors.JWKSNoMatchingKey);
    });

    it('throws the published key ids when it has no key of the id', async () => {
      const issuer = await start({ alg: 'ES256' });
      const { kid } = await issuer.signingKey();
      expect(() => issuer.removeKey('typo')).toThrow(`no key "typo" to do this with; published are: ${kid}`);
      expect(() => issuer.useKey('typo')).toThrow('no key "typo"');
      await expect(issuer.replaceKeyMaterial('typo')).rejects.toThrow('no key "typo"');
    });

    it('replaces the material of a key under its kid, in its place in the set', async () => {
      const issuer = await start({ alg: 'ES256' });
      const { kid } = await issuer.signingKey();
      await issuer.publishKey();
      const old = await issuer.sign();
      const before = await keySet(issuer);
      await issuer.replaceKeyMaterial(kid);
      const after = await keySet(issuer);
      expect(after.keys.map((key) => key.kid)).toEqual(before.keys.map((key) => key.kid));
      expect(after.keys[0]?.x).not.toBe(before.keys[0]?.x);
      await expect(verify(issuer, old)).rejects.toThrow(errors.JWSSignatureVerificationFailed);
      expect((await verify(issuer, await issuer.sign())).protectedHeader.kid).toBe(kid);
    });

    it('moves the key set', async () => {
      const issuer = await start({ alg: 'ES256' });
      const old = issuer.jwksUri;
      issuer.moveJwks();
      expect(issuer.jwksUri).not.toBe(old);
      expect(await discovery(issuer)).toMatchObject({ jwks_uri: issuer.jwksUri });
      await verify(issuer, await issuer.sign());
      expect((await fetch(old)).status).toBe(404);
      expect(issuer.requests.map(({ endpoint }) => endpoint)).toEqual(['discovery', 'jwks', 'jwks']);
    });
  });

  describe('fail', () => {
    it.each(['discovery', 'jwks'] as const)(
      'answers 503 at %s alone, and 200 after it recovers',
      async (endpoint) => {
        const issuer = await start({ alg: 'ES256' });
        issuer.fail({ endpoint, mode: { status: 503, retryAfter: 5 } });
        const statuses = async (): Promise<number[]> => [
          (await fetch(issuer.metadataAddress)).status,
          (await fetch(issuer.jwksUri)).status,
        ];
        expect(await statuses()).toEqual(endpoint === 'discovery' ? [503, 200] : [200, 503]);
        issuer.recover(endpoint === 'jwks' ? 'discovery' : 'jwks');
        expect(await statuses()).toContain(503);
        issuer.recover();
        expect(await statuses()).toEqual([200, 200]);
      },
    );

    it('answers a status with Retry-After', async () => {
      const issuer = await failing({ status: 429, retryAfter: 7 });
      const response = await fetch(issuer.jwksUri);
      expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
      issuer.fail({ mode: { status: 500 } });
      const other = await fetch(issuer.metadataAddress);
      expect([other.status, other.headers.get('retry-after')]).toEqual([500, null]);
    });

    it('resets connections, and records the request', async () => {
      const issuer = await failing('refuse');
      await expect(fetch(issuer.jwksUri)).rejects.toThrow('fetch failed');
      expect(issuer.requests).toHaveLength(1);
    });

    it('hangs until that endpoint recovers', async () => {
      const issuer = await failing('hang');
      const held = [issuer.hold('discovery'), issuer.hold('jwks')];
      const document = failureOf(fetch(issuer.metadataAddress));
      const keys = failureOf(fetch(issuer.jwksUri));
      await Promise.all(held.map(({ arrived }) => arrived));
      for (const { release } of held) release();
      issuer.recover('discovery');
      expect(await Promise.race([document, keys.then(() => 'too much')])).toBe('TypeError');
      expect((await fetch(issuer.metadataAddress)).status).toBe(200);
      issuer.recover();
      expect(await keys).toBe('TypeError');
      expect((await fetch(issuer.jwksUri)).status).toBe(200);
    });

    it('hangs until it is closed', async () => {
      const issuer = await failing('hang');
      const held = issuer.hold();
      const hung = failureOf(fetch(issuer.jwksUri));
      await held.arrived;
      held.release();
      await issuer.close();
      expect(await hung).toBe('TypeError');
    });

    it('answers with a login page', async () => {
      const issuer = await failing('html');
      const response = await fetch(issuer.metadataAddress);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html']);
      expect(await response.text()).toContain('<form>');
    });

    it('answers with nothing in it', async () => {
      const issuer = await failing('empty');
      expect(await discovery(issuer)).toEqual({});
      expect(await keySet(issuer)).toEqual({ keys: [] });
    });

    it('truncates the JSON and sends the truncated length', async () => {
      const issuer = await failing('truncated');
      const response = await fetch(issuer.jwksUri);
      const body = await response.text();
      expect(response.headers.get('content-length')).toBe(String(body.length));
      expect(body).toMatch(/^\{"keys":\[/);
      expect(() => JSON.parse(body) as unknown).toThrow(SyntaxError);
    });

    it('cuts the connection in the middle of the body', async () => {
      const issuer = await failing('cut-off');
      const response = await fetch(issuer.jwksUri);
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow('terminated');
    });

    it('names another issuer', async () => {
      const issuer = await failing('wrong-issuer');
      expect(await discovery(issuer)).toMatchObject({
        issuer: 'https://impostor.example',
        jwks_uri: issuer.jwksUri,
      });
      expect((await keySet(issuer)).keys).toHaveLength(1);
    });

    it('streams JSON without an end until the client leaves', async () => {
      const issuer = await failing('endless');
      const response = await fetch(issuer.jwksUri);
      const seen = await readAtLeast(response, 1_000_000);
      expect(seen.slice(0, 9)).toBe('{"keys":[');
      issuer.recover();
      expect((await fetch(issuer.jwksUri)).status).toBe(200);
    });

    it('sends a byte at a time', async () => {
      const issuer = await failing('drip');
      const response = await fetch(issuer.jwksUri);
      expect(Number(response.headers.get('content-length'))).toBeGreaterThan(100);
      expect((await readAtLeast(response, 1)).length).toBeLessThan(10);
    });

    it('redirects to a canary that records who followed', async () => {
      const issuer = await failing('redirect');
      const response = await fetch(issuer.jwksUri, { redirect: 'manual' });
      expect([response.status, response.headers.get('location')]).toEqual([302, '/canary/jwks']);
      expect(issuer.requests.map(({ endpoint }) => endpoint)).not.toContain('canary');
      expect((await keySet(issuer)).keys).toHaveLength(1);
      expect(await discovery(issuer)).toMatchObject({ issuer: issuer.url });
      expect(issuer.requests.filter(({ endpoint }) => endpoint === 'canary')).toHaveLength(2);
    });

    it('sends a gzip bomb', async () => {
      const issuer = await failing('gzip-bomb');
      const response = await fetch(issuer.jwksUri);
      expect(response.headers.get('content-encoding')).toBe('gzip');
      expect((await readAtLeast(response, 2_000_000)).length).toBeGreaterThan(2_000_000);
    });

    it('answers in the end when it is slow', async () => {
      const issuer = await failing({ slow: '1ms' });
      expect((await keySet(issuer)).keys).toHaveLength(1);
      expect(() => issuer.fail({ mode: { slow: '3' } })).toThrow('cannot read the duration "3"');
    });

    it('keeps slow answers for their time, while other endpoints answer', async () => {
      const issuer = await start({ alg: 'ES256' });
      issuer.fail({ endpoint: 'jwks', mode: { slow: '1h' } });
      const held = issuer.hold('jwks');
      const leave = new AbortController();
      const slow = failureOf(fetch(issuer.jwksUri, { signal: leave.signal }));
      await held.arrived;
      held.release();
      expect((await fetch(issuer.metadataAddress)).status).toBe(200);
      leave.abort();
      expect(await slow).toBe('AbortError');
    });

    it('answers with any body', async () => {
      const issuer = await failing({ body: 'null' });
      const response = await fetch(issuer.jwksUri);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
      expect(await response.json()).toBeNull();
    });

    it('sends no ETag with a spoilt answer', async () => {
      const issuer = await failing('empty');
      expect((await fetch(issuer.jwksUri)).headers.get('etag')).toBeNull();
    });
  });

  describe('hold', () => {
    it('sends what was true when the request arrived', async () => {
      const issuer = await start({ alg: 'ES256' });
      const { kid } = await issuer.signingKey();
      const held = issuer.hold('jwks');
      const before = kids(issuer);
      await held.arrived;
      await issuer.rotateKeys();
      issuer.fail({ mode: 'empty' });
      expect(issuer.requests.map(({ endpoint }) => endpoint)).toEqual(['jwks']);
      expect(await discovery(issuer)).toEqual({});
      issuer.recover();
      held.release();
      expect(await before).toEqual([kid]);
      expect(await kids(issuer)).toHaveLength(2);
    });

    it('releases overlapping answers in any order', async () => {
      const issuer = await start({ alg: 'ES256' });
      const [one, two] = [issuer.hold('jwks'), issuer.hold('discovery')];
      const [jwks, document] = [kids(issuer), discovery(issuer)];
      await Promise.all([one.arrived, two.arrived]);
      two.release();
      expect(await document).toMatchObject({ issuer: issuer.url });
      one.release();
      expect(await jwks).toHaveLength(1);
    });

    it('serves on when a client leaves', async () => {
      const issuer = await start({ alg: 'ES256' });
      const held = issuer.hold();
      const leave = new AbortController();
      const gone = failureOf(fetch(issuer.jwksUri, { signal: leave.signal }));
      await held.arrived;
      leave.abort();
      expect(await gone).toBe('AbortError');
      held.release();
      expect((await fetch(issuer.jwksUri)).status).toBe(200);
    });
  });

  describe('requests', () => {
    it('records what was requested, when and with which headers', async () => {
      const clock = new ManualClock();
      const issuer = await start({ alg: 'ES256', clock });
      await fetch(`${issuer.jwksUri}?x=1`, { headers: { 'X-Probe': 'yes' } });
      await clock.advance(1000);
      await fetch(`${issuer.url}/favicon.ico`);
      const [first, second] = issuer.requests;
      expect(first).toMatchObject({
        endpoint: 'jwks',
        path: '/jwks',
        at: clock.now() - 1000,
        headers: { 'x-probe': 'yes' },
      });
      expect(second).toMatchObject({ endpoint: 'other', path: '/favicon.ico', at: clock.now() });
      issuer.clearRequests();
      expect(issuer.requests).toEqual([]);
    });
  });

  describe('life', () => {
    it('shares nothing with another issuer beside it', async () => {
      const [one, two] = await Promise.all([start({ alg: 'ES256' }), start({ alg: 'ES256' })]);
      one.fail({ mode: { status: 500 } });
      expect((await fetch(two.jwksUri)).status).toBe(200);
      expect(one.requests).toEqual([]);
      expect((await one.signingKey()).kid).not.toBe((await two.signingKey()).kid);
    });

    it('closes its server when it is disposed', async () => {
      const before = await openServers();
      let address = '';
      {
        await using issuer = await TestIssuer.start({ alg: 'ES256' });
        address = issuer.metadataAddress;
        issuer.fail({ endpoint: 'jwks', mode: 'endless' });
        await fetch(issuer.jwksUri);
        expect(await openServers()).toBe(before + 1);
      }
      expect(await openServers()).toBe(before);
      await expect(fetch(address)).rejects.toThrow('fetch failed');
    });

    it('closes twice without an error', async () => {
      const issuer = await start();
      await issuer.close();
      await expect(issuer.close()).resolves.toBeUndefined();
    });
  });
});

/** The name of the error a promise rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
  return 'none';
}

/** Counted two turns later: until the loop has been through its closing phase, closed handles are still listed. */
async function openServers(): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;
}

/** Reads some of a body, then hangs up. */
async function readAtLeast(response: Response, characters: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= characters) break;
  }
  return text;
}
