import { MetadataProvider } from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it, vi } from 'vitest';
import { issuerAndApi, startApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { Bench } from '../support/apps/bench.js';
import { makeSigner } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';
import { MINUTE } from '../support/clock/until-refreshed.js';

const [{ create }] = platforms;

/** docs/security-checklist.md K. */
describe('a key', () => {
  it('[K8] verifies its tokens through an outage until lastKnownGoodLifetime ends', async () => {
    const clock = new ManualClock();
    const { issuer, api } = await issuerAndApi(
      create,
      { metadata: { lastKnownGoodLifetime: '1h' } },
      { clock },
    );
    issuer.fail({ mode: 'refuse' });
    const token = await issuer.sign({}, { expiresIn: '10h' });
    expect(await api.statusOf(token)).toBe(200);
    await clock.advance(68 * MINUTE);
    expect(await api.statusOf(token)).toBe(200);
    expect(await api.statusOf(await issuer.sign())).toBe(200);
    await clock.advance(4 * MINUTE);
    const answer = api.statusOf(token);
    await vi.waitFor(() => expect(clock.pendingTimers).toBeGreaterThan(0));
    await clock.advance(10_000);
    expect(await answer).toBe(503);
  });

  it('[K9] withdraws it when the key set has lost it, for cached tokens too', async () => {
    const { issuer, api } = await issuerAndApi(create, {}, { clock: new ManualClock() });
    const { provider } = api;
    const [old, kept] = [await issuer.sign(), await issuer.signingKey()];
    expect(await api.statusOf(old)).toBe(200);
    await issuer.rotateKeys();
    issuer.removeKey(kept.kid);
    await provider.refreshNow();
    expect(await api.statusOf(old)).toBe(401);
    expect(await api.statusOf(await issuer.sign())).toBe(200);
  });

  it('[K9] withdraws it when it is published again for encryption', async () => {
    await using bench = await Bench.open();
    const key = bench.publish(makeSigner('ES256'));
    const token = bench.tokenBy(key);
    await bench.admits(token);
    bench.issuer.removeKey(key.kid);
    bench.issuer.publishRaw({ ...key.jwk, use: 'enc' });
    await bench.api.app.get(MetadataProvider).refreshNow();
    await bench.refuses(token, 'AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('[K10] keeps the newer key set when an older answer comes late', async () => {
    const [issuer, jwksUri] = ['https://issuer.example', 'https://issuer.example/keys'];
    const [old, fresh] = [makeSigner('ES256'), makeSigner('ES256')];
    const site = new Site({ [jwksUri]: { keys: [old.jwk] } });
    const api = await startApi(create, site.serving({ issuer, audience: 'api', jwksUri }));
    const provider = api.app.get(MetadataProvider);
    let release: (answer: Response) => void = () => undefined;
    const late = new Promise<Response>((resolve) => (release = resolve));
    site.publish({ [jwksUri]: () => late });
    const first = provider.refreshNow();
    site.publish({ [jwksUri]: { keys: [fresh.jwk] } });
    await provider.refreshNow();
    release(Response.json({ keys: [old.jwk] }));
    await first;
    expect(provider.status().keyIds).toEqual([fresh.kid]);
    await api.get('/orders', tokenOf(fresh, { iss: issuer, aud: 'api' })).expect(200);
  });

  it('[K11] accepts new material under an old kid', async () => {
    const { issuer, api } = await issuerAndApi(create, {}, { clock: new ManualClock() });
    const old = await issuer.sign();
    expect(await api.statusOf(old)).toBe(200);
    await issuer.replaceKeyMaterial((await issuer.signingKey()).kid);
    expect(await api.statusOf(await issuer.sign())).toBe(200);
    expect(await api.statusOf(old)).toBe(401);
  });

  it('[K11] refreshes once after wrong signatures under two known kids, and rejects them all', async () => {
    await using bench = await Bench.open({
      options: { metadata: { refreshBurst: 4, refreshInterval: '1h' } },
    });
    const other = bench.publish(makeSigner('ES256'));
    await bench.api.app.get(MetadataProvider).refreshNow();
    bench.issuer.clearRequests();
    for (const { kid } of [bench.signer, other, bench.signer, other])
      await bench.refuses(bench.tokenBy(makeSigner('ES256', { kid })), 'AUTH_TOKEN_SIGNATURE_INVALID');
    expect(bench.issuer.requests.filter(({ endpoint }) => endpoint === 'jwks')).toHaveLength(1);
    await bench.admits(bench.tokenBy(bench.publish(makeSigner('ES256'))));
  });

  it('[K12] follows the key set when it moves', async () => {
    const { issuer, api } = await issuerAndApi(create, {}, { clock: new ManualClock() });
    issuer.moveJwks();
    await issuer.rotateKeys({ keepOld: false });
    expect(await api.statusOf(await issuer.sign())).toBe(200);
  });

  it('[K13] leaves no timer and no exchange behind when the application closes', async () => {
    const clock = new ManualClock();
    const { issuer, api } = await issuerAndApi(create, {}, { clock });
    const { provider } = api;
    const held = issuer.hold('jwks');
    const refresh = provider.refreshNow();
    await held.arrived;
    await api.app.close();
    await expect(refresh).rejects.toThrow('The refresh failed');
    expect(clock.pendingTimers).toBe(0);
    const calls = issuer.requests.length;
    await clock.advance(60 * MINUTE);
    expect(issuer.requests).toHaveLength(calls);
  });
});

describe('a cached token', () => {
  it.each([false, { max: 1 }, { max: 10_000 }] as const)(
    '[K15] rejects it when it expires or is older than maxTokenAge: tokenCache %j',
    async (tokenCache) => {
      const clock = new ManualClock();
      const { issuer, api } = await issuerAndApi(create, { tokenCache, maxTokenAge: '30m' }, { clock });
      const [short, long] = [
        await issuer.sign({}, { expiresIn: '2m' }),
        await issuer.sign({}, { expiresIn: '9h' }),
      ];
      for (const token of [short, long, short, long]) expect(await api.statusOf(token)).toBe(200);
      await clock.advance(2 * MINUTE + 29_000);
      expect(await api.statusOf(short)).toBe(200);
      await clock.advance(2000);
      expect(await api.statusOf(short)).toBe(401);
      expect(await api.statusOf(long)).toBe(200);
      await clock.advance(28 * MINUTE);
      expect(await api.statusOf(long)).toBe(401);
    },
  );

  it('[K15] rejects a token of another signature, payload or header', async () => {
    await using bench = await Bench.open();
    const token = bench.token();
    await bench.admits(token);
    await bench.admits(token);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const [otherHeader = '', otherPayload = '', otherSignature = ''] = bench
      .token({ sub: 'bob' }, { x: 1 })
      .split('.');
    for (const forged of [
      [otherHeader, payload, signature],
      [header, otherPayload, signature],
      [header, payload, otherSignature],
    ])
      await bench.refuses(forged.join('.'), 'AUTH_TOKEN_SIGNATURE_INVALID');
  });
});
