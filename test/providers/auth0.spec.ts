import type { IssuerOptions } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { compact, macWith, makeSigner, signWith, type Signer } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

const [{ create }] = platforms;

/** The issuer ends in a slash. Permissions of Auth0's RBAC are what this library calls roles, or scopes: your choice. */
const options: IssuerOptions = {
  issuer: 'https://shop.eu.auth0.com/',
  audience: 'https://api.shop.example',
  roles: ({ permissions }) => (Array.isArray(permissions) ? permissions : []),
};

const current = makeSigner('RS256', {
  kid: 'kE3nT1dOfTwenty1Chars',
  members: { x5t: 'kE3nT1', x5c: ['MIIC'] },
});
const next = makeSigner('RS256', { members: { x5c: ['MIIC'] } });

function site(keys: readonly Signer[] = [current, next], issuer = options.issuer): Site {
  const jwksUri = 'https://shop.eu.auth0.com/.well-known/jwks.json';
  const cacheControl = 'public, max-age=15, stale-while-revalidate=15, stale-if-error=86400';
  return new Site({
    'https://shop.eu.auth0.com/.well-known/openid-configuration': {
      issuer,
      jwks_uri: jwksUri,
      id_token_signing_alg_values_supported: ['HS256', 'RS256', 'PS256'],
    },
    [jwksUri]: () =>
      Response.json({ keys: keys.map(({ jwk }) => jwk) }, { headers: { 'cache-control': cacheControl } }),
  });
}

const token = (signer: Signer, claims = {}, header = {}) =>
  tokenOf(
    signer,
    {
      iss: 'https://shop.eu.auth0.com/',
      sub: 'auth0|alice',
      aud: ['https://api.shop.example', 'https://shop.eu.auth0.com/userinfo'],
      azp: 'client',
      scope: 'openid orders:read',
      permissions: ['admin'],
      ...claims,
    },
    { typ: 'JWT', ...header },
  );

describe('Auth0', () => {
  it('accepts both profiles of access tokens, with a slash in the issuer and a list of audiences', async () => {
    const api = await startApi(create, site().serving(options));
    expect(await api.tokenSeen(token(current))).toMatchObject({
      scopes: ['openid', 'orders:read'],
      roles: ['admin'],
    });
    expect(await api.outcomeOf(token(next, { client_id: 'client', jti: 'j' }, { typ: 'at+jwt' }))).toBe('ok');
  });

  it('rejects the metadata and names the slash when the issuer was configured without it', async () => {
    const slashless = {
      ...options,
      issuer: 'https://shop.eu.auth0.com',
      metadata: { startup: 'lazy' as const },
    };
    const api = await startApi(create, site().serving(slashless));
    expect(await api.outcomeOf(token(current))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
    await expect(api.provider.refreshNow()).rejects.toMatchObject({
      cause: { message: expect.stringContaining('trailing slash') },
    });
  });

  it('accepts RS256 alone when the keys name no alg', async () => {
    const { alg: _, ...jwk } = current.jwk;
    const api = await startApi(create, site([{ ...current, jwk }]).serving(options));
    expect(await api.outcomeOf(token(current))).toBe('ok');
    const forged = { ...current, alg: 'PS256', sign: signWith(current.privateKey, 'PS256') };
    expect(await api.outcomeOf(token(forged))).toBe('AUTH_TOKEN_ALGORITHM_REFUSED');
  });

  it('rejects tokens of an API that signs with HS256, which a key set cannot verify', async () => {
    const api = await startApi(create, site().serving(options));
    const pem = current.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const { iss, aud } = { iss: options.issuer, aud: 'https://api.shop.example' };
    const claims = { iss, aud, exp: Math.floor(Date.now() / 1000) + 60 };
    expect(await api.outcomeOf(compact({ alg: 'HS256', typ: 'JWT' }, claims, macWith(pem)))).toBe(
      'AUTH_TOKEN_ALGORITHM_REFUSED',
    );
  });

  it('rejects an ID token and a custom domain that was not configured', async () => {
    const api = await startApi(create, site().serving(options));
    expect(await api.outcomeOf(token(current, { aud: 'client', nonce: 'n' }))).toBe(
      'AUTH_TOKEN_AUDIENCE_MISMATCH',
    );
    expect(await api.outcomeOf(token(current, { iss: 'https://login.shop.example/' }))).toBe(
      'AUTH_TOKEN_ISSUER_UNKNOWN',
    );
  });

  it('fetches once for twenty tokens although the answer is fresh for fifteen seconds only', async () => {
    const auth0 = site();
    const api = await startApi(create, auth0.serving(options));
    for (let i = 0; i < 20; i++) expect(await api.outcomeOf(token(current, { jti: `${i}` }))).toBe('ok');
    expect(auth0.asked).toHaveLength(2);
  });
});
