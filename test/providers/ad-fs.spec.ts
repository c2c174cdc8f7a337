import type { IssuerOptions } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { entraKey } from '../support/issuers/entra-id.js';
import { startApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { makeSigner, type Signer } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

const [{ create }] = platforms;

/** The metadata names one issuer, its `access_token_issuer` another, in plain http: a name, never an address. */
const options: IssuerOptions = {
  issuer: 'https://sts.shop.example/adfs',
  tokenIssuers: ['http://sts.shop.example/adfs/services/trust'],
  audience: 'microsoft:identityserver:orders-api',
};

const base = entraKey();
const current: Signer = { ...base, jwk: { ...base.jwk, alg: 'RS256' } };
const jwksUri = 'https://sts.shop.example/adfs/discovery/keys';
const site = () =>
  new Site({
    'https://sts.shop.example/adfs/.well-known/openid-configuration': {
      issuer: 'https://sts.shop.example/adfs',
      access_token_issuer: 'http://sts.shop.example/adfs/services/trust',
      jwks_uri: jwksUri,
    },
    [jwksUri]: { keys: [current.jwk] },
  });

const token = (signer: Signer, claims = {}) =>
  tokenOf(
    signer,
    {
      iss: 'http://sts.shop.example/adfs/services/trust',
      aud: 'microsoft:identityserver:orders-api',
      sub: 's',
      appid: 'client',
      scp: 'openid orders:read',
      ver: '1.0',
      ...claims,
    },
    { typ: 'JWT', x5t: signer.kid },
  );

describe('AD FS', () => {
  it('accepts access tokens, whose iss is not the issuer of the metadata', async () => {
    const adfs = site();
    const api = await startApi(create, adfs.serving(options));
    expect(await api.tokenSeen(token(current))).toMatchObject({
      scopes: ['openid', 'orders:read'],
      issuer: options.issuer,
    });
    expect(adfs.asked.every((address) => address.startsWith('https://sts.shop.example/adfs/'))).toBe(true);
  });

  it('rejects its ID tokens, which name the other issuer', async () => {
    const api = await startApi(create, site().serving(options));
    expect(await api.outcomeOf(token(current, { iss: options.issuer }))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });

  it('accepts the configured issuer alone, and ignores access_token_issuer', async () => {
    const api = await startApi(
      create,
      site().serving({ issuer: options.issuer, audience: options.audience }),
    );
    expect(await api.outcomeOf(token(current))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
    expect(await api.outcomeOf(token(current, { iss: options.issuer }))).toBe('ok');
  });

  it('accepts tokens of a new certificate and of the one before', async () => {
    const adfs = site();
    const api = await startApi(create, adfs.serving(options));
    const next = makeSigner('RS256');
    adfs.publish({ [jwksUri]: { keys: [next.jwk, current.jwk] } });
    expect(await api.outcomeOf(token(next))).toBe('ok');
    expect(await api.outcomeOf(token(current))).toBe('ok');
  });
});
