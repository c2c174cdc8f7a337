import type { IssuerOptions } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { hexKid } from '../support/issuers/key-ids.js';
import { makeSigner, type Signer } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

const [{ create }] = platforms;

const CLIENT = '123-abc.apps.googleusercontent.com';

/** Access tokens of Google are opaque; its ID tokens, as service accounts send them, are its only JWTs. */
const options: IssuerOptions = {
  issuer: 'https://accounts.google.com',
  tokenIssuers: ['https://accounts.google.com', 'accounts.google.com'],
  audience: CLIENT,
  acceptIdTokens: true,
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
  it('accepts both spellings of iss, and keys on another host', async () => {
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

  it('accepts one spelling of iss when one is configured', async () => {
    const api = await startApi(create, site().serving({ ...options, tokenIssuers: undefined }));
    expect(await api.outcomeOf(token(current))).toBe('ok');
    expect(await api.outcomeOf(token(current, { iss: 'accounts.google.com' }))).toBe(
      'AUTH_TOKEN_ISSUER_UNKNOWN',
    );
  });

  it('keeps a withdrawn key withdrawn when Age shows that a copy is old', async () => {
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

  it.each([{}, { at_hash: 'x' }])(
    '[E1-6] rejects an ID token unless acceptIdTokens is set: %j',
    async (claims) => {
      const api = await startApi(create, site().serving({ ...options, acceptIdTokens: undefined }));
      expect(await api.outcomeOf(token(current, claims))).toBe('AUTH_TOKEN_TYPE_REFUSED');
      const open = await startApi(create, site().serving(options));
      expect(await open.outcomeOf(token(current, claims))).toBe('ok');
    },
  );

  it('[E1-6] rejects a token that another client requested, unless it is an audience too', async () => {
    const azp = '456-android.apps.googleusercontent.com';
    const api = await startApi(create, site().serving(options));
    for (const claims of [{ azp }, { azp, at_hash: 'x' }, { azp: undefined, aud: [CLIENT, azp] }])
      expect(await api.outcomeOf(token(current, claims))).toBe('AUTH_TOKEN_AUDIENCE_MISMATCH');
    const both = await startApi(create, site().serving({ ...options, audience: [CLIENT, azp] }));
    expect(await both.outcomeOf(token(current, { azp }))).toBe('ok');
  });

  it.each(['sub', 'iat'])('[E1-6] rejects an ID token without %s', async (name) => {
    const api = await startApi(create, site().serving(options));
    expect(await api.outcomeOf(token(current, { [name]: undefined }))).toBe('AUTH_TOKEN_CLAIM_INVALID');
  });

  it('rejects a token for another client', async () => {
    const api = await startApi(create, site().serving(options));
    expect(await api.outcomeOf(token(current, { aud: '456-def.apps.googleusercontent.com' }))).toBe(
      'AUTH_TOKEN_AUDIENCE_MISMATCH',
    );
  });
});
