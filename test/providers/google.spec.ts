import type { IssuerOptions } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { hexKid } from '../support/issuers/key-ids.js';
import { makeSigner, type Signer } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

const [{ create }] = platforms;

const CLIENT = '123-abc.apps.googleusercontent.com';

/** Access tokens of Google are opaque; its ID tokens, as service accounts send them, are JWTs for `audience`. */
const options: IssuerOptions = {
  issuer: 'https://accounts.google.com',
  tokenIssuers: ['https://accounts.google.com', 'accounts.google.com'],
  audience: CLIENT,
};

const [current, next] = [makeSigner('RS256', { kid: hexKid() }), makeSigner('RS256', { kid: hexKid() })];
const jwksUri = 'https://www.googleapis.com/oauth2/v3/certs';
const caching = { 'cache-control': 'public, max-age=19000, must-revalidate, no-transform' };
const keys = (age: number, ...signers: readonly Signer[]) => ({
  [jwksUri]: () =>
    Response.json({ keys: signers.map(({ jwk }) => jwk) }, { headers: { ...caching, age: String(age) } }),
});
const site = () =>
  new Site({
    'https://accounts.google.com/.well-known/openid-configuration': {
      issuer: 'https://accounts.google.com',
      jwks_uri: jwksUri,
    },
    ...keys(5000, current, next),
  });

const token = (signer: Signer, claims = {}) =>
  tokenOf(
    signer,
    {
      iss: 'https://accounts.google.com',
      aud: CLIENT,
      azp: CLIENT,
      sub: '1',
      email: 'robot@shop.example',
      ...claims,
    },
    { typ: 'JWT' },
  );

describe('Google', () => {
  it('is served: two spellings of iss, keys on another host', async () => {
    const api = await startApi(create, site().serving(options));
    expect(await api.outcomeOf(token(current))).toBe('ok');
    expect(await api.outcomeOf(token(next, { iss: 'accounts.google.com' }))).toBe('ok');
    for (const iss of [
      'http://accounts.google.com',
      'https://accounts.google.com/',
      'google.com',
      'xaccounts.google.com',
    ])
      expect(await api.outcomeOf(token(current, { iss }))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });

  it('is served one spelling when one is configured', async () => {
    const api = await startApi(create, site().serving({ issuer: options.issuer, audience: CLIENT }));
    expect(await api.outcomeOf(token(current))).toBe('ok');
    expect(await api.outcomeOf(token(current, { iss: 'accounts.google.com' }))).toBe(
      'AUTH_TOKEN_ISSUER_UNKNOWN',
    );
  });

  it('does not let an old copy, recognized by Age, bring a withdrawn key back', async () => {
    const google = site();
    const api = await startApi(create, google.serving(options));
    google.publish(keys(0, next));
    await api.provider.refreshNow();
    expect(await api.outcomeOf(token(current))).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
    google.publish(keys(9000, current, next));
    await expect(api.provider.refreshNow()).rejects.toMatchObject({ cause: { fault: 'outdated' } });
    expect(await api.outcomeOf(token(current))).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
    expect(await api.outcomeOf(token(next))).toBe('ok');
  });

  it('rejects a token for another client', async () => {
    const api = await startApi(create, site().serving(options));
    expect(await api.outcomeOf(token(current, { aud: '456-def.apps.googleusercontent.com' }))).toBe(
      'AUTH_TOKEN_AUDIENCE_MISMATCH',
    );
  });
});
