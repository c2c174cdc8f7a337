import { generateKeyPairSync } from 'node:crypto';
import { SigningKeyNotFoundError } from 'jwks-rsa';
import { describe, expect, it } from 'vitest';
import { scene, type Scene } from '../support/apps/scene.js';
import { keyOf } from '../support/issuers/scripted-issuer.js';

const SIGNATURE = 'AUTH_TOKEN_SIGNATURE_INVALID';
const ALGORITHM = 'AUTH_TOKEN_ALGORITHM_REFUSED';
const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const weakJwk = (kid: string) => ({ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' });

/** The error a token is rejected with. */
async function rejection({ authenticator }: Scene, token: string): Promise<Error> {
  const error: unknown = await authenticator.authenticate(token).catch((reason: unknown) => reason);
  if (error instanceof Error) return error;
  throw new Error('The token was accepted');
}

describe('a token of a key that is published and cannot be used', () => {
  async function withWeakKeys(...kids: string[]) {
    const stage = await scene({ start: false });
    stage.issuer.published = [(await keyOf('a')).jwk, ...kids.map(weakJwk)];
    await stage.start();
    const show = async (kid: string, jti: string) =>
      stage.verdict(await stage.issuer.sign('a', { jti }, { kid }));
    return { stage, show };
  }

  it('rejects it without a refresh, and names in the cause why the key is not used', async () => {
    const { stage } = await withWeakKeys('weak');
    const error = await rejection(stage, await stage.issuer.sign('a', {}, { kid: 'weak' }));
    expect(error).toMatchObject({ code: SIGNATURE, cause: expect.any(Error) });
    expect(String(error.cause)).toContain("'weak' of the key set is not used: weak");
    expect(stage.attempts()).toBe(0);
  });

  it('keeps the budget for a rollover', async () => {
    const { stage, show } = await withWeakKeys('weak-1', 'weak-2', 'weak-3');
    for (let i = 0; i < 30; i++) expect(await show(`weak-${1 + (i % 3)}`, String(i))).toBe(SIGNATURE);
    expect(stage.provider.status().budget.available).toBe(5);
    await stage.issuer.publish('b');
    expect(await stage.show('b')).toBe('accepted');
  });

  it('rejects it with that cause when its own refresh finds the key', async () => {
    const stage = await scene();
    stage.issuer.published = [...stage.issuer.published, weakJwk('weak')];
    const token = await stage.issuer.sign('a', {}, { kid: 'weak' });
    expect(String((await rejection(stage, token)).cause)).toContain('is not used: weak');
    const attempts = stage.attempts();
    expect(String((await rejection(stage, token)).cause)).toContain('is not used: weak');
    expect(stage.attempts()).toBe(attempts);
  });

  it('accepts it from the next refresh on when a usable key is published in its place', async () => {
    const { stage } = await withWeakKeys('b');
    expect(await stage.show('b')).toBe(SIGNATURE);
    await stage.issuer.publish('a', 'b');
    await stage.clock.advance('15m');
    expect(await stage.show('b')).toBe('accepted');
  });
});

describe('a token of a known key that does not serve its algorithm', () => {
  it('rejects it with AUTH_TOKEN_ALGORITHM_REFUSED, and names key, algorithm and option in the cause', async () => {
    const key = await keyOf('rsa', { alg: 'RS512' });
    const stage = await scene({ start: false });
    stage.issuer.published = [{ ...key.jwk, alg: undefined }];
    await stage.start();
    const error = await rejection(stage, await stage.issuer.sign(key));
    expect(error).toMatchObject({ code: ALGORITHM });
    expect(String(error.cause)).toMatch(/'rsa'.*RS256.*'RS512'.*option algorithms/);
    // Its material may have been replaced: one refresh, as for a wrong signature.
    expect(stage.attempts()).toBe(1);
  });

  it('names the published alg in the cause when the key has one', async () => {
    const key = await keyOf('rsa', { alg: 'RS512' });
    const stage = await scene({ start: false });
    stage.issuer.published = [{ ...key.jwk, alg: 'RS256' }];
    await stage.start();
    const error = await rejection(stage, await stage.issuer.sign(key));
    expect(error).toMatchObject({ code: ALGORITHM });
    expect(String(error.cause)).toMatch(/'rsa'.*published.*RS256.*'RS512'/);
    expect(String(error.cause)).not.toContain('option');
  });

  it('accepts it when the refresh finds that the key serves it now', async () => {
    const key = await keyOf('rsa', { alg: 'RS512' });
    const stage = await scene({ start: false });
    stage.issuer.published = [{ ...key.jwk, alg: 'RS256' }];
    await stage.start();
    stage.issuer.published = [key.jwk];
    expect(await stage.show(key)).toBe('accepted');
  });
});

describe('a token of a key that is not published', () => {
  it("rejects it with jwks-rsa's SigningKeyNotFoundError as the cause", async () => {
    const stage = await scene();
    const { cause } = await rejection(stage, await stage.issuer.sign('b'));
    expect(cause).toBeInstanceOf(SigningKeyNotFoundError);
  });
});
