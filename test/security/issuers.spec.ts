import { AuthConfigurationError, MetadataProviders } from 'nestjs-resilient-auth';
import { TestIssuer, type TestIssuerModuleOptions } from 'nestjs-resilient-auth/testing';
import { describe, expect, it } from 'vitest';
import { startApi, startIssuer } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { compact, makeSigner, type Signer } from '../support/issuers/signer.js';

const [{ create }] = platforms;
const SIGNATURE = 'AUTH_TOKEN_SIGNATURE_INVALID';

function tokenOf(issuer: TestIssuer, signer: Signer, claims = {}, header = {}): string {
  const iat = Math.floor(Date.now() / 1000);
  const profile = { client_id: 'shop', jti: 'j', iat, exp: iat + 60 };
  const { alg, kid } = signer;
  return compact(
    { alg, typ: 'at+jwt', kid, ...header },
    { iss: issuer.url, aud: 'api', sub: issuer.url, ...profile, ...claims },
    signer.sign,
  );
}

/** docs/security-checklist.md E8 and F5, docs/scenarios.md 26: several issuers in one application. */
describe('several issuers in one application', () => {
  async function start(
    overrides: { a?: Partial<TestIssuerModuleOptions>; b?: Partial<TestIssuerModuleOptions> } = {},
  ) {
    const [a, b] = [await startIssuer(), await startIssuer()];
    const { jwtFromRequest: _, ...optionsA } = a.options({ name: 'a', ...overrides.a });
    const { jwtFromRequest: __, ...optionsB } = b.options({ name: 'b', ...overrides.b });
    const api = await startApi(create, { issuers: [optionsA, optionsB] });
    const answer = async (token: string) => {
      const { status, body } = await api.get('/orders', token);
      return status === 200 ? 'ok' : body.errorCode;
    };
    return { a, b, api, answer };
  }

  it.each(['a first', 'b first'])(
    '[F5] verifies with the keys of the issuer that the token names: %s',
    async (order) => {
      const { a, b, answer } = await start();
      const [one, two] = order === 'a first' ? [a, b] : [b, a];
      const [keyOne, keyTwo] = [makeSigner('ES256'), makeSigner('ES256')];
      one.publishRaw(keyOne.jwk);
      two.publishRaw(keyTwo.jwk);
      expect(await answer(tokenOf(one, keyOne))).toBe('ok');
      expect(await answer(tokenOf(two, keyOne))).toBe(SIGNATURE);
      expect(await answer(tokenOf(two, keyTwo))).toBe('ok');
      expect(await answer(tokenOf(one, keyTwo))).toBe(SIGNATURE);
      expect(await answer(tokenOf(one, keyOne))).toBe('ok');
    },
  );

  it.each(['same', 'same:https://other.example/', 'RS256:same', '', '__proto__'])(
    '[E8] accepts different keys of one kid at different issuers: %j',
    async (kid) => {
      const { a, b, answer } = await start();
      const [keyA, keyB] = [makeSigner('ES256', { kid }), makeSigner('ES256', { kid })];
      a.publishRaw(keyA.jwk);
      b.publishRaw(keyB.jwk);
      for (let round = 0; round < 2; round++) {
        expect(await answer(tokenOf(a, keyA))).toBe('ok');
        expect(await answer(tokenOf(b, keyB))).toBe('ok');
        expect(await answer(tokenOf(a, keyB))).toBe(SIGNATURE);
        expect(await answer(tokenOf(b, keyA))).toBe(SIGNATURE);
      }
    },
  );

  it('[E8] rejects a kid that spells the address of another issuer', async () => {
    const { a, b, answer } = await start();
    const keyB = makeSigner('ES256');
    b.publishRaw(keyB.jwk);
    expect(await answer(tokenOf(b, keyB))).toBe('ok');
    for (const kid of [`${keyB.kid}:${b.url}`, `${b.url}#${keyB.kid}`, `${b.jwksUri}/${keyB.kid}`, b.url])
      expect(await answer(tokenOf(a, keyB, {}, { kid }))).toBe(SIGNATURE);
  });

  it('[F5] calls only the issuer that the token names', async () => {
    const { a, b, answer } = await start();
    const before = b.requests.length;
    a.clearRequests();
    expect(await answer(tokenOf(a, makeSigner('ES256')))).toBe(SIGNATURE);
    // One look at the key set, and a second one at both documents.
    expect(a.requests).toHaveLength(3);
    expect(b.requests).toHaveLength(before);
    expect(await answer(tokenOf(a, makeSigner('ES256'), { iss: 'https://evil.example' }))).toBe(
      'AUTH_TOKEN_ISSUER_UNKNOWN',
    );
    expect(b.requests).toHaveLength(before);
  });

  it('[F6] checks audience, algorithms and types of each issuer separately', async () => {
    const { a, b, answer } = await start({
      a: { audience: 'api-a', algorithms: ['ES256'] },
      b: { audience: 'api-b', algorithms: ['RS256', 'ES256'], tokenTypes: ['at+jwt'] },
    });
    const rsa = makeSigner('RS256');
    a.publishRaw(rsa.jwk);
    b.publishRaw(rsa.jwk);
    expect(await answer(await a.sign({ aud: 'api-a' }, { typ: 'JWT' }))).toBe('ok');
    expect(await answer(await a.sign({ aud: 'api-b' }))).toBe('AUTH_TOKEN_AUDIENCE_MISMATCH');
    expect(await answer(await b.sign({ aud: 'api-b' }, { typ: 'JWT' }))).toBe('AUTH_TOKEN_TYPE_REFUSED');
    expect(await answer(tokenOf(a, rsa, { aud: 'api-a' }))).toBe('AUTH_TOKEN_ALGORITHM_REFUSED');
    expect(await answer(tokenOf(b, rsa, { aud: 'api-b' }))).toBe('ok');
  });

  it('[K5] keeps the budget of one when the other is flooded', async () => {
    const scarce = { metadata: { refreshBurst: 1, refreshInterval: '1h' } };
    const { a, b, answer } = await start({ a: scarce, b: scarce });
    const flood = await Promise.all(
      Array.from({ length: 20 }, () => answer(tokenOf(a, makeSigner('ES256')))),
    );
    expect(flood).toContain('AUTH_METADATA_UNAVAILABLE');
    await b.rotateKeys();
    expect(await answer(await b.sign())).toBe('ok');
    expect(await answer(await a.sign())).toBe('ok');
  });

  it('[K8] answers 503 only for the one in an outage', async () => {
    const { a, b, answer } = await start();
    a.fail({ mode: 'refuse' });
    await a.rotateKeys();
    await b.rotateKeys();
    expect(await answer(await a.sign())).toBe('AUTH_METADATA_UNAVAILABLE');
    expect(await answer(await b.sign())).toBe('ok');
  });

  it('[F4] rejects the boot when two have the same iss or name', async () => {
    const { a, b } = await start();
    for (const second of [b.options({ tokenIssuers: [b.url, a.url] }), b.options({ name: a.url })]) {
      const boot = startApi(create, { issuers: [a.options(), second] });
      await expect(boot).rejects.toThrow(AuthConfigurationError);
    }
  });

  it('[K1] keeps the key set of one when the other is refreshed', async () => {
    const { a, b, api } = await start();
    const providers = api.app.get(MetadataProviders);
    await a.rotateKeys({ keepOld: false });
    const before = await providers.get('b').current();
    await providers.get('a').refreshNow();
    expect(providers.get('a').status().keyIds).not.toEqual(providers.get('b').status().keyIds);
    expect(await providers.get('b').current()).toBe(before);
    expect(before.issuer).toBe(b.url);
  });
});
