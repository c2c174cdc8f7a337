import { TokenRejectedError, type IssuerOptions } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { base64Kid } from '../support/issuers/key-ids.js';
import { makeSigner, type Signer } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

const [{ create }] = platforms;

/** Access tokens have no `aud`: the check is switched off, and `client_id` checked in its place. */
const options: IssuerOptions = {
  issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_pool',
  audience: null,
  requiredClaims: ['client_id', 'token_use'],
  validate: (claims) => {
    if (claims['client_id'] !== 'shop-client') throw new TokenRejectedError('The token is of another client');
    return claims;
  },
  roles: (claims) => {
    const groups = claims['cognito:groups'];
    return Array.isArray(groups) ? groups : [];
  },
};

const [accessKey, idKey] = [
  makeSigner('RS256', { kid: base64Kid() }),
  makeSigner('RS256', { kid: base64Kid() }),
];
const jwksUri = `${options.issuer}/.well-known/jwks.json`;
const site = () =>
  new Site({
    [`${options.issuer}/.well-known/openid-configuration`]: { issuer: options.issuer, jwks_uri: jwksUri },
    [jwksUri]: { keys: [idKey.jwk, accessKey.jwk] },
  });

const token = (signer: Signer, claims = {}) =>
  tokenOf(signer, {
    iss: options.issuer,
    sub: 'uuid',
    client_id: 'shop-client',
    token_use: 'access',
    scope: 'orders/read',
    'cognito:groups': ['admin'],
    username: 'alice',
    ...claims,
  });

describe('Cognito', () => {
  it('[E1-3] accepts access tokens without aud and typ, and a kid in plain base64', async () => {
    const api = await startApi(create, site().serving(options));
    expect(accessKey.kid).toMatch(/[+/].*=$|=.*$/);
    expect(await api.tokenSeen(token(accessKey))).toMatchObject({
      scopes: ['orders/read'],
      roles: ['admin'],
    });
  });

  it('[E1-3] rejects a token of another client, or of none', async () => {
    const api = await startApi(create, site().serving(options));
    expect(await api.outcomeOf(token(accessKey, { client_id: 'other' }))).toBe('AUTH_TOKEN_REJECTED');
    expect(await api.outcomeOf(token(accessKey, { client_id: undefined }))).toBe('AUTH_TOKEN_CLAIM_INVALID');
  });

  it('[E1-3] rejects an ID token, whose audience is the client', async () => {
    const api = await startApi(create, site().serving(options));
    const id = { aud: 'shop-client', token_use: 'id', client_id: undefined, 'cognito:username': 'alice' };
    expect(await api.outcomeOf(token(idKey, id))).toBe('AUTH_TOKEN_TYPE_REFUSED');
    expect(await api.outcomeOf(token(accessKey, { token_use: undefined }))).toBe('AUTH_TOKEN_CLAIM_INVALID');
  });

  it('rejects another pool, and another region', async () => {
    const api = await startApi(create, site().serving(options));
    for (const iss of [`${options.issuer}2`, options.issuer.replaceAll('eu-central-1', 'us-east-1')])
      expect(await api.outcomeOf(token(accessKey, { iss }))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });

  it('rejects access tokens when an audience is configured', async () => {
    const api = await startApi(create, site().serving({ issuer: options.issuer, audience: 'shop-client' }));
    expect(await api.outcomeOf(token(accessKey))).toBe('AUTH_TOKEN_AUDIENCE_MISMATCH');
  });
});
