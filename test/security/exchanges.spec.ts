import { createServer } from 'node:net';
import { MetadataProvider, type MetadataFault } from 'nestjs-resilient-auth';
import { ManualClock, type TestIssuerFault } from 'nestjs-resilient-auth/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { issuerAndApi, startApi, startIssuer } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { makeSigner } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

const [{ create }] = platforms;
const lazy = { startup: 'lazy' } as const;

/** docs/security-checklist.md J, J6 to J8 and J10: what an answer of the issuer may be. */
describe('an answer of the issuer', () => {
  it.each<['discovery' | 'jwks', TestIssuerFault, MetadataFault]>([
    ['jwks', 'endless', 'too-large'],
    ['jwks', 'gzip-bomb', 'too-large'],
    ['jwks', 'html', 'not-json'],
    ['jwks', 'cut-off', 'unreachable'],
    ['jwks', { status: 201 }, 'status'],
    ['jwks', { status: 203 }, 'status'],
    ['jwks', { status: 206 }, 'status'],
    ['jwks', { status: 404 }, 'status'],
    ['jwks', { status: 500 }, 'status'],
    ['jwks', { body: '{"keys":[]}' }, 'no-usable-key'],
    ['jwks', { body: '{"keys":[{"kty":"oct","k":"AAAA"}]}' }, 'no-usable-key'],
    ['jwks', { body: '{"keys":{}}' }, 'no-usable-key'],
    ['jwks', { body: '{"keys":null}' }, 'no-usable-key'],
    ['jwks', { body: '{}' }, 'no-usable-key'],
    ['jwks', { body: '[]' }, 'no-usable-key'],
    ['jwks', { body: 'null' }, 'no-usable-key'],
    ['jwks', { body: '7' }, 'no-usable-key'],
    ['jwks', { body: '' }, 'not-json'],
    ['discovery', { body: 'null' }, 'wrong-issuer'],
    ['discovery', { body: '[]' }, 'wrong-issuer'],
    ['discovery', 'wrong-issuer', 'wrong-issuer'],
  ])(
    '[J6] [J7] [J10] rejects it and keeps the good key set when it is no key set: %s %j',
    async (endpoint, mode, fault) => {
      const { issuer, api } = await issuerAndApi(create);
      const provider = api.app.get(MetadataProvider);
      const [good, before] = [await issuer.sign(), await provider.current()];
      issuer.fail({ endpoint, mode });
      await expect(provider.refreshNow()).rejects.toThrow('The refresh failed');
      expect(provider.status().lastFailure?.fault).toBe(fault);
      expect(await provider.current()).toBe(before);
      await api.get('/orders', good).expect(200);
      issuer.recover();
      await expect(provider.refreshNow()).resolves.toBe(before);
    },
  );

  it.each<[TestIssuerFault, MetadataFault]>([
    ['endless', 'too-large'],
    ['gzip-bomb', 'too-large'],
    ['truncated', 'not-json'],
    ['html', 'not-json'],
    ['wrong-issuer', 'wrong-issuer'],
    ['empty', 'wrong-issuer'],
    [{ status: 304 }, 'redirect'],
    [{ status: 500 }, 'status'],
  ])('[J6] [J7] loads nothing when it is no discovery document: %j', async (mode, fault) => {
    const { issuer, api } = await issuerAndApi(create, { metadata: lazy });
    issuer.fail({ endpoint: 'discovery', mode });
    await api.get('/orders', await issuer.sign()).expect(503);
    expect(api.app.get(MetadataProvider).status()).toMatchObject({ state: 'empty', lastFailure: { fault } });
    expect(issuer.requests.filter(({ endpoint }) => endpoint === 'jwks')).toEqual([]);
  });

  it.each<[what: string, mode: TestIssuerFault]>([
    ['hangs', 'hang'],
    ['drips', 'drip'],
  ])('[J6] ends at its timeout when it %s', async (_, mode) => {
    const clock = new ManualClock();
    const issuer = await startIssuer({ clock });
    issuer.fail({ endpoint: 'discovery', mode });
    const api = await startApi(create, issuer.options({ metadata: lazy }), { clock });
    const answer = api.get('/orders', await issuer.sign()).then(({ status }) => status);
    await vi.waitFor(() => expect(issuer.requests).toHaveLength(1));
    await clock.advance(4999);
    expect(api.app.get(MetadataProvider).status()).toMatchObject({ waiting: 1, lastFailure: undefined });
    await clock.advance(1);
    expect(await answer).toBe(503);
    expect(api.app.get(MetadataProvider).status()).toMatchObject({
      waiting: 0,
      lastFailure: { fault: 'timeout' },
    });
  });

  it('[J6] answers 503 when its headers do not end', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.write(`HTTP/1.1 200 OK\r\n${'X-Long: 0123456789\r\n'.repeat(50_000)}`);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const jwksUri = `http://127.0.0.1:${port}/keys`;
    const issuer = await startIssuer();
    const api = await startApi(create, issuer.options({ jwksUri, metadata: lazy }));
    await api.get('/orders', await issuer.sign()).expect(503);
    expect(api.app.get(MetadataProvider).status().lastFailure?.fault).toBe('unreachable');
  });

  it('[J6] counts its bytes after decompression, up to the limit exactly', async () => {
    const key = makeSigner('ES256');
    const sized = (length: number) => () => {
      const text = JSON.stringify({ keys: [key.jwk], padding: '' });
      return new Response(text.replace('"padding":"', `"padding":"${'x'.repeat(length - text.length)}`));
    };
    for (const [length, status] of [
      [4096, 200],
      [4097, 503],
    ] as const) {
      const site = new Site({ 'https://issuer.example/keys': sized(length) });
      const options = {
        issuer: 'https://issuer.example',
        audience: 'api',
        jwksUri: 'https://issuer.example/keys',
      };
      const api = await startApi(
        create,
        site.serving({ ...options, metadata: { ...lazy, maxResponseSize: 4096 } }),
      );
      await api.get('/orders', tokenOf(key, { iss: 'https://issuer.example', aud: 'api' })).expect(status);
    }
  });

  it.each(['application/json', 'application/jwk-set+json', 'application/octet-stream', 'text/plain'])(
    '[J7] reads a key set of the content type %s',
    async (type) => {
      const issuer = await startIssuer();
      issuer.respondWith('all', { 'content-type': type });
      const api = await startApi(create, issuer.options());
      await api.get('/orders', await issuer.sign()).expect(200);
    },
  );

  it('[J7] keeps the key set when it is 304 to an ETag that was sent', async () => {
    const { issuer, api } = await issuerAndApi(create);
    const provider = api.app.get(MetadataProvider);
    const before = await provider.current();
    issuer.clearRequests();
    expect(await provider.refreshNow()).toBe(before);
    expect(issuer.requests.map(({ headers }) => typeof headers['if-none-match'])).toEqual([
      'string',
      'string',
    ]);
  });
});

describe('a request to the issuer', () => {
  it('[J8] sends no cookie, no credentials and nothing of a token', async () => {
    const { issuer, api } = await issuerAndApi(create);
    issuer.respondWith('all', { 'set-cookie': 'session=1; Path=/' });
    await api.app.get(MetadataProvider).refreshNow();
    await issuer.rotateKeys();
    const token = await issuer.sign();
    await api.get('/orders', token).set('Cookie', 'a=b').expect(200);
    // Both documents at the start and by request, and the key set for the new key.
    expect(issuer.requests).toHaveLength(5);
    for (const { headers } of issuer.requests) {
      expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['cookie']));
      expect(headers.authorization).toBeUndefined();
      expect(headers).toMatchObject({ 'user-agent': 'nestjs-resilient-auth', 'cache-control': 'no-cache' });
      expect(headers.accept).toContain('application/json');
      expect(JSON.stringify(headers)).not.toContain(token.slice(0, 20));
    }
  });
});
