import { MetadataProvider, type MetadataEvent } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import type { Api } from '../support/apps/api.js';
import { issuerAndApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';

/** Refreshes from now on, as the provider reports them: each is one judged attempt. */
function refreshesOf(api: Api): MetadataEvent[] {
  const started: MetadataEvent[] = [];
  api.app
    .get(MetadataProvider)
    .events$.subscribe((event) => event.type === 'refresh-started' && started.push(event));
  return started;
}

describe.each(platforms)('a key rollover between two requests, on $platform', ({ create }) => {
  it.each([
    { how: 'with overlap', keepOld: true, withKid: true },
    { how: 'without overlap', keepOld: false, withKid: true },
    { how: 'of tokens without kid', keepOld: false, withKid: false },
  ])('answers 200 after one refresh when keys roll over $how', async ({ keepOld, withKid }) => {
    const { issuer, api } = await issuerAndApi(create);
    const sign = () => issuer.sign({ sub: 'alice' }, withKid ? {} : { kid: undefined });
    const before = await sign();
    await api.get('/orders', before).expect(200);
    const refreshes = refreshesOf(api);
    issuer.clearRequests();

    await issuer.rotateKeys({ keepOld });
    await api.get('/orders', await sign()).expect(200);

    expect(refreshes).toHaveLength(1);
    // A key that is gone is confirmed by a second look at both documents.
    expect(issuer.requests).toHaveLength(keepOld ? 1 : 3);
    // The old key is served as long as it is published, and not a request longer.
    await api.get('/orders', before).expect(keepOld ? 200 : 401);
    await api.get('/orders', await sign()).expect(200);
    // Whose key an old token without kid has, only the issuer can say.
    expect(refreshes).toHaveLength(withKid ? 1 : 2);
  });

  it('sends one HTTP request when the old key stays published', async () => {
    const { issuer, api } = await issuerAndApi(create);
    await api.get('/orders', await issuer.sign()).expect(200);
    issuer.clearRequests();

    await issuer.rotateKeys({ keepOld: true });
    await api.get('/orders', await issuer.sign()).expect(200);

    expect(issuer.requests.map(({ endpoint }) => endpoint)).toEqual(['jwks']);
  });

  it('answers 200 after one refresh when the same kid has new material', async () => {
    const { issuer, api } = await issuerAndApi(create);
    const old = await issuer.sign();
    await api.get('/orders', old).expect(200);
    const refreshes = refreshesOf(api);

    await issuer.replaceKeyMaterial((await issuer.signingKey()).kid);
    await api.get('/orders', await issuer.sign()).expect(200);

    expect(refreshes).toHaveLength(1);
    await api.get('/orders', old).expect(401);
  });

  it('answers 200 to fifty requests at once after one refresh', async () => {
    const { issuer, api } = await issuerAndApi(create);
    await api.app.listen(0);
    await api.get('/orders', await issuer.sign()).expect(200);
    const refreshes = refreshesOf(api);

    await issuer.rotateKeys({ keepOld: false });
    const tokens = await Promise.all(Array.from({ length: 50 }, () => issuer.sign()));
    const answers = await Promise.all(tokens.map((token) => api.get('/orders', token)));

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(refreshes).toHaveLength(1);
  });

  it('follows a moved jwks_uri in the same request', async () => {
    const { issuer, api } = await issuerAndApi(create);
    await api.get('/orders', await issuer.sign()).expect(200);

    issuer.moveJwks();
    await issuer.rotateKeys({ keepOld: false });

    await api.get('/orders', await issuer.sign()).expect(200);
  });
});
