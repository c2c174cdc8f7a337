import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ordersAdmin, ordersCli } from '../../../sample-app/provider/clients.js';
import { startProvider } from '../../../sample-app/provider/embedded-provider.js';
import type { EmbeddedProvider } from '../../../sample-app/provider/embedded-provider.js';
import { getToken } from '../../../sample-app/provider/get-token.js';
import { embeddedAudience } from '../../../sample-app/provider/provider-configuration.js';

const keySet = v.object({ keys: v.array(v.object({ kid: v.string() })) });
const rotation = v.object({ signingWith: v.string() });
const getJson = async (url: string): Promise<unknown> => (await fetch(url)).json();

describe('the embedded OpenID provider', () => {
  let provider: EmbeddedProvider;

  beforeEach(async () => {
    provider = await startProvider({ port: 0 });
  });
  afterEach(() => provider.close());

  // A new key set each time: jose's cache must not answer for the provider.
  const verify = (token: string) =>
    jwtVerify(token, createRemoteJWKSet(new URL(`${provider.issuer}/jwks`)), {
      issuer: provider.issuer,
      audience: embeddedAudience,
      typ: 'at+jwt',
      algorithms: ['RS256'],
    });
  const publishedKeyIds = async (): Promise<string[]> => {
    const { keys } = v.parse(keySet, await getJson(`${provider.issuer}/jwks`));
    return keys.map(({ kid }) => kid);
  };

  it('returns RFC 9068 access tokens when a client presents its credentials', async () => {
    const { payload } = await verify(await getToken(provider.issuer, ordersCli));

    expect(payload).toMatchObject({
      sub: 'orders-cli',
      client_id: 'orders-cli',
      scope: 'orders:read orders:write',
    });
    expect(payload).not.toHaveProperty('roles');
    expect(payload.jti).toBeTypeOf('string');
  });

  it('returns a token with only the scopes that were requested when there are fewer', async () => {
    const { payload } = await verify(await getToken(provider.issuer, ordersCli, ['orders:read']));

    expect(payload['scope']).toBe('orders:read');
  });

  it('returns a token with the role when the admin client requests it', async () => {
    const { payload } = await verify(await getToken(provider.issuer, ordersAdmin));

    expect(payload['roles']).toEqual(['admin']);
  });

  it('returns issuer and key set address when the discovery document is read', async () => {
    const metadata = await getJson(`${provider.issuer}/.well-known/openid-configuration`);

    expect(metadata).toMatchObject({ issuer: provider.issuer, jwks_uri: `${provider.issuer}/jwks` });
  });

  it('returns both keys when it rotates with overlap, and signs with the new one', async () => {
    const old = await getToken(provider.issuer, ordersCli);
    const kid = await provider.rotateKeys();
    const fresh = await getToken(provider.issuer, ordersCli);

    expect(decodeProtectedHeader(fresh).kid).toBe(kid);
    expect(await publishedKeyIds()).toEqual([kid, decodeProtectedHeader(old).kid]);
    await verify(old);
    await verify(fresh);
  });

  it('returns only the new key when it rotates without overlap', async () => {
    const old = await getToken(provider.issuer, ordersCli);
    const kid = await provider.rotateKeys({ keepOld: false });
    const fresh = await getToken(provider.issuer, ordersCli);

    expect(await publishedKeyIds()).toEqual([kid]);
    await verify(fresh);
    await expect(verify(old)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  it('answers the operator when rotation and fault are requested over HTTP', async () => {
    const rotated = await fetch(`${provider.issuer}/rotate?keepOld=false`, { method: 'POST' });
    const { signingWith } = v.parse(rotation, await rotated.json());

    expect(await publishedKeyIds()).toEqual([signingWith]);
    expect(await fetch(`${provider.issuer}/fault?mode=tired`, { method: 'POST' })).toMatchObject({
      status: 400,
    });
  });

  it('returns both keys when two rotations run at the same time, and 404 when the target is no path', async () => {
    const kids = await Promise.all([provider.rotateKeys(), provider.rotateKeys()]);

    expect(new Set(kids).size).toBe(2);
    expect(await fetch(`${provider.issuer}//`)).toMatchObject({ status: 404 });
    expect(await publishedKeyIds()).toHaveLength(2);
  });

  it('answers as the fault says when there is one, and recovers', async () => {
    const jwks = `${provider.issuer}/jwks`;

    provider.fail('down');
    await expect(fetch(jwks)).rejects.toThrow('fetch failed');
    provider.fail('html');
    expect(await (await fetch(jwks)).text()).toContain('<h1>');
    provider.fail('hang');
    await expect(fetch(jwks, { signal: AbortSignal.timeout(100) })).rejects.toThrow('timeout');
    provider.fail('slow');
    await expect(fetch(jwks, { signal: AbortSignal.timeout(100) })).rejects.toThrow('timeout');
    provider.fail('none');
    expect(await publishedKeyIds()).toHaveLength(1);
  });

  it('returns the announced key beside the signing key when it announces one, and signs with it next', async () => {
    const first = decodeProtectedHeader(await getToken(provider.issuer, ordersCli)).kid;
    const announced = await provider.announceKey();

    expect(await provider.announceKey()).toBe(announced);
    expect(await publishedKeyIds()).toEqual([first, announced]);
    expect(decodeProtectedHeader(await getToken(provider.issuer, ordersCli)).kid).toBe(first);
    expect(await provider.rotateKeys()).toBe(announced);
    expect(decodeProtectedHeader(await getToken(provider.issuer, ordersCli)).kid).toBe(announced);
    expect(await publishedKeyIds()).toEqual([announced, first]);
  });

  it('returns other key material under the same kid when it reuses the kid', async () => {
    const old = await getToken(provider.issuer, ordersCli);
    const kid = await provider.reuseKid();

    expect(decodeProtectedHeader(old).kid).toBe(kid);
    expect(await publishedKeyIds()).toEqual([kid]);
    await verify(await getToken(provider.issuer, ordersCli));
    await expect(verify(old)).rejects.toMatchObject({ code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
  });

  it('returns only the signing key when it withdraws the old ones', async () => {
    const kid = await provider.rotateKeys();
    await provider.withdrawOldKeys();

    expect(await publishedKeyIds()).toEqual([kid]);
  });

  it('returns the number of discovery and key set requests when some were not answered', async () => {
    await publishedKeyIds();
    provider.fail('down');
    await fetch(`${provider.issuer}/.well-known/openid-configuration`).catch(() => undefined);

    expect(provider.calls).toEqual({ discovery: 1, jwks: 1 });
  });
});
