import { describe, expect, it } from 'vitest';
import { exchange } from '../../support/apps/raw-exchange.js';
import { platforms } from '../../support/apps/platforms.js';
import { watchSignatureChecks } from '../../support/apps/signature-checks.js';
import { PUBLIC_URL, startDpopApi } from '../../support/dpop/dpop-api.js';

const INVALID = { status: 401, code: 'AUTH_PROOF_INVALID' };

/** Bytes as a part of a JWS. */
const part = (text: string): string => Buffer.from(text, 'latin1').toString('base64url');

describe.each(platforms)('the header DPoP, on $platform', ({ create }) => {
  it('[P3-1] [P0-3] rejects several headers, also in other spellings and with the same value', async () => {
    const { app, client, token } = await open();
    const proof = await client.proof({ url: `${PUBLIC_URL}/things`, token });
    const line = `Authorization: DPoP ${token}`;
    const get = (...lines: string[]) => exchange(app, ['GET /things HTTP/1.1', line, ...lines]);
    for (const second of [`DPoP: ${proof}`, `dpop: ${proof}`, 'DPOP: x', 'DPoP:'])
      expect(await get(`DPoP: ${proof}`, second)).toMatch(/^HTTP\/1.1 401 [\s\S]*AUTH_PROOF_INVALID/);
    // What Node makes of two headers, sent as one.
    expect(await get(`DPoP: ${proof}, ${proof}`)).toContain('AUTH_PROOF_INVALID');
    expect(await get(`DPoP: ${proof}`)).toMatch(/^HTTP\/1.1 200 /);
  });

  it.each([
    ['nothing', () => ''],
    ['one part', () => 'abc'],
    ['two parts', (proof: string) => proof.slice(0, proof.lastIndexOf('.'))],
    ['no signature', (proof: string) => proof.slice(0, proof.lastIndexOf('.') + 1)],
    ['four parts', (proof: string) => `${proof}.abc`],
    ['five parts', (proof: string) => `${proof}.abc.def`],
    ['padding', (proof: string) => `${proof}=`],
    ['a header that is no JSON', (proof: string) => proof.replace(/^[^.]+/, part('{'))],
    ['a header that is a list', (proof: string) => proof.replace(/^[^.]+/, part('[]'))],
    ['claims that are no object', (proof: string) => proof.replace(/\.[^.]+\./, `.${part('"a"')}.`)],
    [
      'claims with one name twice',
      (proof: string) => proof.replace(/\.[^.]+\./, `.${part('{"jti":"a","jti":"a"}')}.`),
    ],
    ['JSON in place of compact form', () => '{"payload":"","signatures":[]}'],
    ['the scheme in front', (proof: string) => `DPoP ${proof}`],
  ])('[P3-1] rejects a value with %s before any cryptography', async (_, change) => {
    const { api, client, token } = await open();
    const proof = await client.proof({ url: `${PUBLIC_URL}/things`, token });
    // The token is known from here on: every check of a signature is the proof's.
    expect(await api.outcome({ token })).toMatchObject({ status: 200 });
    const checks = watchSignatureChecks();
    expect(await api.outcome({ token, proof: change(proof) })).toMatchObject(INVALID);
    expect(checks).not.toHaveBeenCalled();
  });

  it('[P3-1] accepts a proof of 4,096 characters, and rejects one of 4,097', async () => {
    const { api, client, token } = await open();
    // Base64url has no part of 4n + 1 characters: two parts that grow make every length.
    const proofOf = (inHeader: number, inClaims: number): Promise<string> =>
      client.proof({
        url: `${PUBLIC_URL}/things`,
        token,
        header: { x: 'y'.repeat(inHeader) },
        claims: { x: 'y'.repeat(inClaims) },
      });
    const lengths = new Map<number, string>();
    for (let padding = 2580; lengths.size === 0 || Math.max(...lengths.keys()) <= 4097; padding++)
      for (const inClaims of [0, 1, 2]) {
        const proof = await proofOf(padding, inClaims);
        lengths.set(proof.length, proof);
      }
    expect(await api.outcome({ token, proof: lengths.get(4096) ?? null })).toMatchObject({ status: 200 });
    expect(await api.outcome({ token, proof: lengths.get(4097) ?? null })).toMatchObject(INVALID);
  });

  async function open() {
    const api = await startDpopApi({}, { create });
    return { api, app: api.app, client: api.client, token: await api.token() };
  }
});
