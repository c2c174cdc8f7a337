import type { IssuerOptions } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { sha256Kid } from '../support/issuers/key-ids.js';
import { makeSigner, type Signer } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

const [{ create }] = platforms;

/** A custom authorization server. Tokens of the org server (`https://shop.okta.com`) cannot be verified by anyone else. */
const options: IssuerOptions = {
  issuer: 'https://shop.okta.com/oauth2/default',
  audience: 'api://default',
  roles: ({ groups }) => (Array.isArray(groups) ? groups : []),
};

function oktaKey(): Signer {
  const signer = makeSigner('RS256');
  const kid = sha256Kid(signer.publicKey);
  return { ...signer, kid, jwk: { ...signer.jwk, kid } };
}

const [current, next] = [oktaKey(), oktaKey()];
const jwksUri = `${options.issuer}/v1/keys`;
const keys = (...signers: readonly Signer[]) => ({ [jwksUri]: { keys: signers.map(({ jwk }) => jwk) } });
const site = () =>
  new Site({
    [`${options.issuer}/.well-known/openid-configuration`]: { issuer: options.issuer, jwks_uri: jwksUri },
    ...keys(current),
  });

const token = (signer: Signer, claims = {}) =>
  tokenOf(signer, {
    ver: 1,
    jti: 'AT.x',
    iss: options.issuer,
    aud: 'api://default',
    sub: 'alice@shop.example',
    cid: 'client',
    uid: '00u1',
    scp: ['orders:read', 'orders:write'],
    groups: ['admin'],
    ...claims,
  });

describe('Okta, custom authorization server', () => {
  it('accepts tokens without typ, with scp as a list and groups as roles', async () => {
    const api = await startApi(create, site().serving(options));
    expect(await api.tokenSeen(token(current))).toMatchObject({
      scopes: ['orders:read', 'orders:write'],
      roles: ['admin'],
    });
    await api.post('/orders', token(current)).expect(201);
    await api.post('/orders', token(current, { scp: ['orders:read'] })).expect(403);
  });

  it('accepts a new key that was not published before, and the old one', async () => {
    const okta = site();
    const api = await startApi(create, okta.serving(options));
    expect(await api.outcomeOf(token(current))).toBe('ok');
    okta.publish(keys(current, next));
    expect(await api.outcomeOf(token(next))).toBe('ok');
    expect(await api.outcomeOf(token(current))).toBe('ok');
  });

  it('rejects a token of the org server and of another server of the org, even by the same key', async () => {
    const api = await startApi(create, site().serving(options));
    for (const iss of ['https://shop.okta.com', 'https://shop.okta.com/oauth2/aus1', `${options.issuer}/`])
      expect(await api.outcomeOf(token(current, { iss }))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });

  it('rejects an ID token', async () => {
    const api = await startApi(create, site().serving(options));
    const id = { aud: 'client', nonce: 'n', at_hash: 'x', scp: undefined };
    expect(await api.outcomeOf(token(current, id))).toBe('AUTH_TOKEN_AUDIENCE_MISMATCH');
    expect(await api.outcomeOf(token(current, { ...id, aud: 'api://default' }))).toBe(
      'AUTH_TOKEN_TYPE_REFUSED',
    );
  });
});
