import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { exchange } from '../../support/apps/raw-exchange.js';
import { platforms } from '../../support/apps/platforms.js';
import { PUBLIC_URL, useDpopApi, type DpopApi, type Sent } from '../../support/dpop/dpop-api.js';

const INVALID = 'AUTH_PROOF_INVALID';
const URL_OF_THINGS = `${PUBLIC_URL}/things`;

/** What the conformance tests of the FAPI 2.0 security profile send to a resource server. */
const requests: readonly [string, (api: DpopApi) => Promise<Sent>, string][] = [
  ['a good proof', async () => ({}), 'accepted'],
  ['no proof', async () => ({ proof: null }), 'AUTH_PROOF_MISSING'],
  ['a wrong typ', async () => ({ header: { typ: 'JWT' } }), INVALID],
  ['no typ', async () => ({ header: { typ: undefined } }), INVALID],
  ['alg none and no signature', async (api) => ({ proof: await unsigned(api) }), INVALID],
  ['a private jwk', async (api) => ({ header: { jwk: { ...api.client.jwk, d: 'A'.repeat(43) } } }), INVALID],
  ['no jwk', async () => ({ header: { jwk: undefined } }), INVALID],
  [
    'a signature by another key',
    async () => ({ key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }),
    INVALID,
  ],
  ['a wrong htm', async () => ({ claims: { htm: 'POST' } }), INVALID],
  ['another htu', async () => ({ claims: { htu: `${PUBLIC_URL}/other` } }), INVALID],
  ['an htu on another host', async () => ({ claims: { htu: 'https://other.example.com/things' } }), INVALID],
  ['an iat of an hour ago', async () => ({ claims: { iat: Date.now() / 1000 - 3600 } }), INVALID],
  ['an iat in an hour', async () => ({ claims: { iat: Date.now() / 1000 + 3600 } }), INVALID],
  ['an iat of some seconds ago', async () => ({ claims: { iat: Date.now() / 1000 - 5 } }), 'accepted'],
  ['an iat in some seconds', async () => ({ claims: { iat: Date.now() / 1000 + 5 } }), 'accepted'],
  ['a wrong ath', async () => ({ claims: { ath: 'A'.repeat(43) } }), INVALID],
  ['no ath', async () => ({ claims: { ath: undefined } }), INVALID],
  ['no jti', async () => ({ claims: { jti: undefined } }), INVALID],
  ['the key of another client', (api) => byOther(api), 'AUTH_PROOF_KEY_MISMATCH'],
  ['the token as Bearer', async () => ({ scheme: 'Bearer' }), 'AUTH_TOKEN_SENDER_CONSTRAINED'],
  ['an upper-case host', async () => ({ claims: { htu: 'https://API.EXAMPLE.COM/things' } }), 'accepted'],
  ['the default port', async () => ({ claims: { htu: 'https://api.example.com:443/things' } }), 'accepted'],
  ['an htu with a query', async () => ({ claims: { htu: `${URL_OF_THINGS}?a=b` } }), 'accepted'],
  ['an htu with a fragment', async () => ({ claims: { htu: `${URL_OF_THINGS}#a` } }), 'accepted'],
  ['exp and nbf that do not fit', async () => ({ claims: { exp: 1, nbf: 9_999_999_999 } }), 'accepted'],
];

describe.each(platforms)('the requests of the FAPI 2.0 security profile, on $platform', ({ create }) => {
  const api = useDpopApi({}, { create });

  it.each(requests)('[P3-12] answers %s by the profile', async (_, make, expected) => {
    const { status, code } = await api().outcome(await make(api()));
    expect({ status, code }).toEqual(
      expected === 'accepted' ? { status: 200, code: undefined } : { status: 401, code: expected },
    );
  });

  it('[P3-12] rejects two proofs, and one jti twice', async () => {
    const token = await api().token();
    const proof = await api().client.proof({ url: URL_OF_THINGS, token });
    const lines = ['GET /things HTTP/1.1', `Authorization: DPoP ${token}`, `DPoP: ${proof}`];
    const second = await api().client.proof({ url: URL_OF_THINGS, token });
    expect(await exchange(api().app, [...lines, `DPoP: ${second}`])).toContain(INVALID);
    expect(await exchange(api().app, lines)).toMatch(/^HTTP\/1.1 200 /);
    expect(await exchange(api().app, lines)).toContain('AUTH_PROOF_REPLAYED');
  });
});

async function byOther(api: DpopApi): Promise<Sent> {
  const [token, other] = [await api.token(), await api.issuer.dpopClient()];
  return { token, proof: await other.proof({ url: URL_OF_THINGS, token }) };
}

async function unsigned({ client }: DpopApi): Promise<string> {
  const [, claims] = (await client.proof({ url: URL_OF_THINGS })).split('.');
  const header = { typ: 'dpop+jwt', alg: 'none', jwk: client.jwk };
  return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${claims}.`;
}
