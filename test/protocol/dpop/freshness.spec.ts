import { AUTH_EXPOSED_HEADERS } from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it } from 'vitest';
import { platforms } from '../../support/apps/platforms.js';
import { startDpopApi, type DpopApi } from '../../support/dpop/dpop-api.js';

const INVALID = { status: 401, code: 'AUTH_PROOF_INVALID' };
const ACCEPTED = { status: 200 };
const SECRET = 'a secret of the fleet';
const OLD_SECRET = 'the secret before it';

describe('iat of a proof', () => {
  const clock = new ManualClock();

  async function open(
    ...[dpop = {}]: Parameters<typeof startDpopApi>
  ): Promise<(offset: number) => Promise<object>> {
    const api = await startDpopApi(dpop, { clock });
    return (offset) => api.outcome({ claims: { iat: clock.now() / 1000 + offset } });
  }

  it('[P3-5] accepts a proof within proofLifetime and tolerance, and rejects it beyond, on either side', async () => {
    const at = await open();
    for (const offset of [0, -69.9, 10]) expect(await at(offset)).toMatchObject(ACCEPTED);
    for (const offset of [-70, -3600, 10.1, 3600, 1e9, -1e9]) expect(await at(offset)).toMatchObject(INVALID);
  });

  it('[P3-5] accepts and rejects by the options', async () => {
    const at = await open({ proofLifetime: '5s', clockTolerance: 0 });
    for (const offset of [0, -4.9]) expect(await at(offset)).toMatchObject(ACCEPTED);
    for (const offset of [-5, 0.1]) expect(await at(offset)).toMatchObject(INVALID);
  });
});

describe.each(platforms)('the nonce of a proof, on $platform', ({ create }) => {
  async function open(secrets: readonly string[] = [SECRET], clock = new ManualClock()) {
    const api = await startDpopApi({ nonce: { secrets, lifetime: '10m' } }, { clock, create });
    const send = (nonce?: string, offset = 0) =>
      api.send({ nonce, claims: { iat: clock.now() / 1000 + offset } });
    return { api, clock, send };
  }

  /** The nonce of the first answer. */
  async function nonceOf(api: DpopApi): Promise<string> {
    const { headers } = await api.send();
    return headers['dpop-nonce'] ?? '';
  }

  it('[P3-8] rejects a proof without a nonce with use_dpop_nonce and exactly one DPoP-Nonce', async () => {
    const { api, send } = await open();
    const { status, body, headers, res } = Object(await api.send());
    expect(status).toBe(401);
    expect(body.errorCode).toBe('AUTH_PROOF_NONCE_REQUIRED');
    expect(headers['www-authenticate']).toMatch(
      /^DPoP error="use_dpop_nonce", error_description="[^"]+", algs=/,
    );
    const names: readonly string[] = res.rawHeaders;
    expect(names.filter((name) => name.toLowerCase() === 'dpop-nonce')).toHaveLength(1);
    expect(headers['dpop-nonce']).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(headers['cache-control']).toBe('no-store');
    const accepted = await send(headers['dpop-nonce']);
    expect(accepted.status).toBe(200);
    // Nothing new is to be said as long as the nonce is young.
    expect(accepted.headers).not.toHaveProperty('dpop-nonce');
  });

  it('[P3-5] accepts a clock that is an hour off with a good nonce, and rejects it without', async () => {
    const { api, send } = await open();
    const nonce = await nonceOf(api);
    for (const offset of [3600, -3600]) {
      expect((await send(nonce, offset)).status).toBe(200);
      expect((await send('bad', offset)).body.errorCode).toBe('AUTH_PROOF_NONCE_REQUIRED');
      expect((await send(nonce, 3 * offset)).body.errorCode).toBe('AUTH_PROOF_INVALID');
    }
  });

  it('[P3-8] sends a new nonce before the old one ends, once, with no-store; then rejects the old one', async () => {
    const { api, clock, send } = await open();
    const first = await nonceOf(api);
    await clock.advance('5m');
    const aging = await send(first);
    expect(aging.status).toBe(200);
    expect(aging.headers['cache-control']).toBe('no-store');
    const second = aging.headers['dpop-nonce'] ?? '';
    expect(second).not.toBe(first);
    const next = await send(second);
    expect([next.status, next.headers['dpop-nonce']]).toEqual([200, undefined]);
    expect((await send(first)).status).toBe(200);
    await clock.advance('5m');
    expect((await send(first)).body.errorCode).toBe('AUTH_PROOF_NONCE_REQUIRED');
    expect((await send(second)).status).toBe(200);
  });

  it('[P3-8] sends the new nonce with refusals that follow, too', async () => {
    const { api, clock } = await open();
    const nonce = await nonceOf(api);
    await clock.advance('5m');
    const { status, headers } = await api.send({ target: '/things/scoped', nonce });
    expect(status).toBe(403);
    expect(headers['dpop-nonce']).toMatch(/^[\w-]{43}$/);
    expect(headers['www-authenticate']).toMatch(
      /^DPoP error="insufficient_scope", scope="things:read", algs=/,
    );
  });

  it('[P3-8] accepts the nonces of another replica and of the second secret, with no state in between', async () => {
    const clock = new ManualClock();
    const { api: before } = await open([OLD_SECRET], clock);
    const old = await nonceOf(before);
    const { api: after, send } = await open([SECRET, OLD_SECRET], clock);
    const rotated = await send(old);
    expect(rotated.status).toBe(200);
    const renewed = rotated.headers['dpop-nonce'] ?? '';
    expect(renewed).not.toBe(old);
    const { send: elsewhere } = await open([SECRET], clock);
    expect((await elsewhere(renewed)).status).toBe(200);
    expect((await elsewhere(old)).body.errorCode).toBe('AUTH_PROOF_NONCE_REQUIRED');
    expect(await nonceOf(after)).toBe(renewed);
  });

  it('[P3-8] accepts the nonce of a replica whose clock is ahead', async () => {
    const clock = new ManualClock();
    const ahead = new ManualClock(clock.now() + 60_000 * 5);
    const { api } = await open([SECRET], ahead);
    const { send } = await open([SECRET], clock);
    expect((await send(await nonceOf(api))).status).toBe(200);
  });

  it.each(['', 'x', 'A'.repeat(43), 'a'.repeat(1000), 'ä'.repeat(43)])(
    '[P3-8] rejects the nonce %j with a good one',
    async (nonce) => {
      const { api, send } = await open();
      const { body, headers } = await send(nonce);
      expect([body.errorCode, headers['dpop-nonce']]).toEqual([
        'AUTH_PROOF_NONCE_REQUIRED',
        await nonceOf(api),
      ]);
    },
  );

  it('[P3-8] ignores a nonce that is not required', async () => {
    const api = await startDpopApi({}, { create });
    expect((await api.send({ nonce: 'x' })).status).toBe(200);
  });
});

describe('AUTH_EXPOSED_HEADERS', () => {
  it('[P0-5] names the header of the nonce to scripts of another origin', () => {
    expect(AUTH_EXPOSED_HEADERS).toContain('DPoP-Nonce');
  });
});
