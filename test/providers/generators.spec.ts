import type { IssuerOptions, MetadataEvent } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { hexKid } from '../support/issuers/key-ids.js';
import { makeSigner, type Signer } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

const [{ create }] = platforms;
const DISCOVERY = '/.well-known/openid-configuration';

/** An API that trusts an issuer with one published key, and the remarks about that key. */
async function serveKey(issuer: string, signer: Signer, jwk: object, options: Partial<IssuerOptions> = {}) {
  const jwksUri = `${issuer}/jwks`;
  const site = new Site({
    [`${issuer}${DISCOVERY}`]: { issuer, jwks_uri: jwksUri, registration_endpoint: null },
    [jwksUri]: { keys: [jwk] },
  });
  const metadata = { startup: 'lazy' } as const;
  const api = await startApi(create, site.serving({ issuer, audience: 'api', ...options, metadata }));
  const remarks: MetadataEvent[] = [];
  api.provider.events$.subscribe((event) => {
    if (event.type === 'key-normalized' || event.type === 'key-skipped') remarks.push(event);
  });
  const token = tokenOf(signer, { iss: issuer, aud: 'api', sub: '1' }, { typ: 'JWT' });
  const refresh = () => api.provider.refreshNow();
  return { answer: () => api.outcomeOf(token), remarks, refresh };
}

describe('Battle.net', () => {
  it('accepts n in plain base64 with padding and a leading zero, and emits that once', async () => {
    const signer = makeSigner('RS256', { kid: hexKid() });
    const modulus = Buffer.from(signer.jwk.n ?? '', 'base64url');
    const n = Buffer.concat([Buffer.alloc(1), modulus]).toString('base64');
    const jwk = { kty: 'RSA', alg: 'RS256', use: 'sig', kid: signer.kid, n, e: 'AQAB' };
    const { answer, remarks, refresh } = await serveKey('https://oauth.battle.net', signer, jwk);
    expect(await answer()).toBe('ok');
    await refresh();
    expect(remarks).toMatchObject([{ type: 'key-normalized', kid: signer.kid, members: ['n'] }]);
  });
});

describe('a generator of EC keys that drops leading zeros', () => {
  it.each(['x', 'y'] as const)(
    'accepts a key when it drops the zero of %s, and emits that once',
    async (name) => {
      let signer = makeSigner('ES256');
      const coordinate = () => Buffer.from(signer.jwk[name] ?? '', 'base64url');
      while (coordinate()[0] !== 0) signer = makeSigner('ES256');
      const jwk = { ...signer.jwk, [name]: coordinate().subarray(1).toString('base64url') };
      const { answer, remarks, refresh } = await serveKey('https://generator.test', signer, jwk);
      expect(await answer()).toBe('ok');
      await refresh();
      expect(remarks).toMatchObject([{ type: 'key-normalized', kid: signer.kid, members: [name] }]);
    },
  );
});

describe('a serializer that writes every member of its class', () => {
  it('accepts a key whose unset members are null or an empty list', async () => {
    const signer = makeSigner('RS256', { kid: hexKid() });
    const unset = { d: null, p: null, q: null, dp: null, dq: null, qi: null, oth: [], k: null, crv: null };
    const jwk = { ...signer.jwk, ...unset, key_ops: [], x5c: [], x5t: null, x5u: null, use: null };
    const { answer, remarks } = await serveKey('https://serializer.test', signer, jwk);
    expect(await answer()).toBe('ok');
    expect(remarks).toEqual([]);
  });
});

describe('an issuer whose keys name no alg', () => {
  it.each(['RS512', 'PS256'])('accepts %s when the option algorithms names it', async (alg) => {
    const signer = makeSigner(alg, { members: { alg: undefined } });
    const { answer } = await serveKey('https://nameless.test', signer, signer.jwk, { algorithms: [alg] });
    expect(await answer()).toBe('ok');
  });
});
