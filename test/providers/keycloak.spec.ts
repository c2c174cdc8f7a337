import type { IssuerOptions } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { sha256Kid } from '../support/issuers/key-ids.js';
import { makeSigner, type Signer, type SignerOptions } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

const [{ create }] = platforms;

/** `aud` is only `account` until the realm has an audience mapper for the API: add one rather than `audience: null`. */
const options: IssuerOptions = {
  issuer: 'https://login.shop.example/realms/shop',
  audience: 'orders-api',
  roles: ({ realm_access: access }) => rolesIn(access),
};

function rolesIn(access: unknown): readonly string[] {
  if (typeof access !== 'object' || access === null || !('roles' in access)) return [];
  return Array.isArray(access.roles) ? access.roles : [];
}

function keycloakKey(alg = 'RS256', options: SignerOptions = {}): Signer {
  const signer = makeSigner(alg, options);
  const kid = sha256Kid(signer.publicKey);
  return { ...signer, kid, jwk: { ...signer.jwk, kid, x5c: ['MIIC'], x5t: 'x', 'x5t#S256': 'y' } };
}

const [current, next] = [keycloakKey(), keycloakKey()];
const encryption = keycloakKey('RS256', { members: { alg: 'RSA-OAEP', use: 'enc' } });
const jwksUri = `${options.issuer}/protocol/openid-connect/certs`;
const keys = (...signers: readonly Signer[]) => ({
  [jwksUri]: () =>
    Response.json({ keys: signers.map(({ jwk }) => jwk) }, { headers: { 'cache-control': 'no-cache' } }),
});
const site = (...signers: readonly Signer[]) =>
  new Site({
    [`${options.issuer}/.well-known/openid-configuration`]: { issuer: options.issuer, jwks_uri: jwksUri },
    ...keys(...signers),
  });

const token = (signer: Signer, claims = {}, header = {}) =>
  tokenOf(
    signer,
    {
      iss: options.issuer,
      aud: ['orders-api', 'account'],
      sub: 'f:1:alice',
      typ: 'Bearer',
      azp: 'shop',
      sid: 's',
      acr: '1',
      realm_access: { roles: ['admin', 'offline_access'] },
      scope: 'openid email orders:read',
      ...claims,
    },
    { typ: 'JWT', ...header },
  );

describe('Keycloak', () => {
  it('accepts tokens of payload typ Bearer with roles of the realm, beside an encryption key', async () => {
    const api = await startApi(create, site(encryption, current).serving(options));
    expect(await api.tokenSeen(token(current))).toMatchObject({
      scopes: ['openid', 'email', 'orders:read'],
      roles: ['admin', 'offline_access'],
    });
    expect(await api.outcomeOf(token(current, { nonce: 'n' }))).toBe('ok');
    expect(await api.outcomeOf(token(current, { client_id: 'shop', jti: 'j' }, { typ: 'at+jwt' }))).toBe(
      'ok',
    );
    expect(await api.outcomeOf(token(current, { realm_access: undefined }), '/orders/audit')).toBe(
      'AUTH_ROLE_MISSING',
    );
  });

  it('rejects a token by the encryption key', async () => {
    const api = await startApi(create, site(encryption, current).serving(options));
    expect(await api.outcomeOf(token({ ...encryption, alg: 'RS256' }))).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('accepts tokens of a new key at once when it replaces the old one', async () => {
    const keycloak = site(current, encryption);
    const api = await startApi(create, keycloak.serving(options));
    expect(await api.outcomeOf(token(current))).toBe('ok');
    keycloak.publish(keys(next, encryption));
    expect(await api.outcomeOf(token(next))).toBe('ok');
    expect(await api.outcomeOf(token(current))).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it.each(['PS256', 'ES256', 'ES512', 'EdDSA'])(
    'accepts tokens when the realm signs with %s',
    async (alg) => {
      const key = keycloakKey(alg);
      const api = await startApi(create, site(key, encryption).serving(options));
      expect(await api.outcomeOf(token(key))).toBe('ok');
    },
  );

  it.each([{ typ: 'ID' }, { typ: 'Refresh' }, { typ: 'Offline' }, { typ: 'Logout' }])(
    'rejects its other tokens, signed by the same key: %j',
    async (claims) => {
      const api = await startApi(create, site(current).serving(options));
      expect(await api.outcomeOf(token(current, claims))).toBe('AUTH_TOKEN_TYPE_REFUSED');
    },
  );

  it('rejects a token without the audience mapper, another realm, and the old path', async () => {
    const api = await startApi(create, site(current).serving(options));
    expect(await api.outcomeOf(token(current, { aud: 'account' }))).toBe('AUTH_TOKEN_AUDIENCE_MISMATCH');
    for (const iss of [
      'https://login.shop.example/realms/other',
      'https://login.shop.example/auth/realms/shop',
      'http://keycloak:8080/realms/shop',
    ])
      expect(await api.outcomeOf(token(current, { iss }))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });
});
