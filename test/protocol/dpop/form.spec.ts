import { describe, expect, it, onTestFinished } from 'vitest';
import { exchange } from '../../support/apps/raw-exchange.js';
import { platforms } from '../../support/apps/platforms.js';
import { shareSpies, watchSignatureChecks } from '../../support/apps/signature-checks.js';
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
    onTestFinished(() => {
      checks.mockRestore();
      shareSpies();
    });
    expect(await api.outcome({ token, proof: change(proof) })).toMatchObject(INVALID);
    expect(checks).not.toHaveBeenCalled();
  });

  it('[P3-1] accepts a proof of 4,096 characters, and rejects one of 4,097', async () => {
    const { api, client, token } = await open();
    const proofOf = (padding: number): Promise<string> =>
      client.proof({ url: `${PUBLIC_URL}/things`, token, header: { x: 'y'.repeat(padding) } });
    const lengths = new Map<number, string>();
    for (let padding = 2600; !lengths.has(4096) || !lengths.has(4097); padding++) {
      const proof = await proofOf(padding);
      lengths.set(proof.length, proof);
      // Base64url has no length of 4n + 1 in a part.
      if (proof.length > 4100) break;
    }
    const fitting = Math.max(...[...lengths.keys()].filter((length) => length <= 4096));
    const tooLong = Math.min(...[...lengths.keys()].filter((length) => length > 4096));
    expect([fitting >= 4095, tooLong <= 4098]).toEqual([true, true]);
    expect(await api.outcome({ token, proof: lengths.get(fitting) ?? '' })).toMatchObject({ status: 200 });
    expect(await api.outcome({ token, proof: lengths.get(tooLong) ?? '' })).toMatchObject(INVALID);
  });

  async function open() {
    const api = await startDpopApi({}, { create });
    return { api, app: api.app, client: api.client, token: await api.token() };
  }
});
