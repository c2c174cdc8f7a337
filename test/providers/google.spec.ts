import type { IssuerOptions } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { hexKid, serve } from '../support/apps/serve-site.js';
import { makeSigner, type Signer } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

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
    const { answer } = await serve(site(), options);
    expect(await answer(token(current))).toBe('ok');
    expect(await answer(token(next, { iss: 'accounts.google.com' }))).toBe('ok');
    for (const iss of [
      'http://accounts.google.com',
      'https://accounts.google.com/',
      'google.com',
      'xaccounts.google.com',
    ])
      expect(await answer(token(current, { iss }))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });

  it('is served one spelling when one is configured', async () => {
    const { answer } = await serve(site(), { issuer: options.issuer, audience: CLIENT });
    expect(await answer(token(current))).toBe('ok');
    expect(await answer(token(current, { iss: 'accounts.google.com' }))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });

  it('does not let an old copy, told by Age, bring a withdrawn key back', async () => {
    const google = site();
    const { answer, refresh } = await serve(google, options);
    google.publish(keys(0, next));
    await refresh();
    expect(await answer(token(current))).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
    google.publish(keys(9000, current, next));
    await expect(refresh()).rejects.toMatchObject({ cause: { fault: 'outdated' } });
    expect(await answer(token(current))).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
    expect(await answer(token(next))).toBe('ok');
  });

  it('refuses a token for another client', async () => {
    const { answer } = await serve(site(), options);
    expect(await answer(token(current, { aud: '456-def.apps.googleusercontent.com' }))).toBe(
      'AUTH_TOKEN_AUDIENCE_MISMATCH',
    );
  });
});
