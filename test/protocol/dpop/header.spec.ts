import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { PUBLIC_URL, startDpopApi, useDpopApi, type DpopApi } from '../../support/dpop/dpop-api.js';
import { encoded, joined, signWith } from '../../support/issuers/signer.js';

const INVALID = { status: 401, code: 'AUTH_PROOF_INVALID' };

/** A key pair that the test makes, and the token that is bound to it. */
async function bound(api: DpopApi, key: KeyObject) {
  const { kty, crv, x, y, n, e } = await exportJWK(key);
  const jwk = { kty, ...(crv && { crv }), ...(x && { x }), ...(y && { y }), ...(n && { n, e }) };
  const token = await api.issuer.sign({ sub: 'alice', cnf: { jkt: await calculateJwkThumbprint(jwk) } });
  return { jwk, token };
}

/** The outcome of a proof with this header, whose signature is right for `scheme`: jose refuses to make such a proof. */
async function outcomeOfHeader(api: DpopApi, key: KeyObject, alg: unknown, scheme = String(alg)) {
  const { jwk, token } = await bound(api, key);
  const [, claims = ''] = (await api.client.proof({ url: `${PUBLIC_URL}/things`, token })).split('.');
  const header = encoded({ typ: 'dpop+jwt', alg, jwk });
  return api.outcome({ token, proof: joined(header, claims, signWith(key, scheme)) });
}

const rsa = (modulusLength: number, publicExponent = 65_537): KeyObject =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey;

describe('the header of a proof', () => {
  const shared = useDpopApi();

  it.each(['dpop+jwt', 'application/dpop+jwt', 'DPoP+JWT', 'APPLICATION/dpop+jwt'])(
    '[P3-2] accepts typ %s: a media type',
    async (typ) => expect(await shared().outcome({ header: { typ } })).toMatchObject({ status: 200 }),
  );

  it.each([undefined, null, 'JWT', 'at+jwt', 'dpop', 'text/dpop+jwt', '', 7, ['dpop+jwt']])(
    '[P3-2] rejects typ %j',
    async (typ) => expect(await shared().outcome({ header: { typ } })).toMatchObject(INVALID),
  );

  it.each(['RS256', 'PS256', 'PS384', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])(
    '[P3-2] accepts proofs of %s',
    async (alg) => {
      const api = await open({}, alg);
      expect(await api.outcome()).toMatchObject({ status: 200 });
    },
  );

  it.each(['none', 'HS256', 'ES256K', 'RSA-OAEP', 'es256', '', 7, null])(
    '[P3-2] rejects alg %j in the header',
    async (alg) => {
      const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
      expect(await outcomeOfHeader(shared(), key, 'ES256')).toMatchObject({ status: 200 });
      expect(await outcomeOfHeader(shared(), key, alg, 'ES256')).toMatchObject(INVALID);
    },
  );

  it('[P3-2] rejects an algorithm that is not on the list of the option, and accepts one that is', async () => {
    expect(await (await open({ algorithms: ['PS256', 'EdDSA'] })).outcome()).toMatchObject(INVALID);
    expect(await (await open({ algorithms: ['ES256'] })).outcome()).toMatchObject({ status: 200 });
  });

  it.each([
    ['none', undefined],
    ['null', null],
    ['text', 'key'],
    ['a list', []],
    ['an empty object', {}],
    ['a symmetric key', { kty: 'oct', k: 'AAAA' }],
    ['an unknown type', { kty: 'XYZ', x: 'AAAA' }],
  ])('[P3-2] rejects a jwk that is %s', async (_, jwk) => {
    expect(await shared().outcome({ header: { jwk } })).toMatchObject(INVALID);
  });

  it.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'])(
    '[P3-2] rejects a jwk with the private member %s',
    async (member) => {
      const jwk = { ...shared().client.jwk, [member]: 'AAAA' };
      expect(await shared().outcome({ header: { jwk } })).toMatchObject(INVALID);
    },
  );

  it('[P3-2] accepts a proof with other members in header, jwk and claims, of any value, and ignores them', async () => {
    const extras = {
      kid: 7,
      x5c: ['AAAA'],
      x5t: {},
      x5u: 'https://evil.example',
      jku: 'https://evil.example/keys',
      cty: 'JWT',
      iss: 1,
    };
    const jwk = {
      ...shared().client.jwk,
      ...extras,
      issuer: 5,
      alg: 'ES256',
      use: 'sig',
      key_ops: ['verify'],
    };
    expect(
      await shared().outcome({ header: { ...extras, jwk }, claims: { exp: 1, nbf: 1e12, iss: 'x', sub: 7 } }),
    ).toMatchObject({
      status: 200,
    });
  });

  it.each([
    ['another alg', { alg: 'ES384' }],
    ['a use that is not for signatures', { use: 'enc' }],
    ['key_ops that are not for signatures', { key_ops: ['encrypt'] }],
    ['a point that is not on the curve', { x: Buffer.alloc(32, 1).toString('base64url') }],
    ['a coordinate that is too long', { y: Buffer.alloc(40, 1).toString('base64url') }],
    ['another curve', { crv: 'P-384' }],
  ])('[P3-2] rejects a jwk with %s', async (_, members) => {
    expect(await shared().outcome({ header: { jwk: { ...shared().client.jwk, ...members } } })).toMatchObject(
      INVALID,
    );
  });

  it.each([
    ['1024 bits', () => rsa(1024)],
    ['exponent 3', () => rsa(2048, 3)],
  ])('[P3-2] rejects an RSA key of %s, as in a key set', async (_, make) => {
    expect(await outcomeOfHeader(shared(), rsa(2048), 'RS256')).toMatchObject({ status: 200 });
    expect(await outcomeOfHeader(shared(), make(), 'RS256')).toMatchObject(INVALID);
  });

  it('[P3-2] rejects a key of another type than the algorithm needs', async () => {
    const ed25519 = generateKeyPairSync('ed25519').privateKey;
    const { jwk, token } = await bound(shared(), ed25519);
    expect(await shared().outcome({ token, header: { jwk } })).toMatchObject(INVALID);
    expect(await shared().outcome({ token, key: ed25519, header: { alg: 'EdDSA', jwk } })).toMatchObject({
      status: 200,
    });
  });

  it.each(['crit', 'b64', 'zip'])(
    '[P3-2] rejects the header member %s, which changes what is signed',
    async (name) => {
      const header = name === 'crit' ? { crit: ['exp'], exp: 1 } : { [name]: name === 'b64' ? true : 'DEF' };
      expect(await shared().outcome({ header })).toMatchObject(INVALID);
    },
  );

  it('[P3-2] rejects a signature by another key, and one that is cut off', async () => {
    const other = await shared().issuer.dpopClient();
    const token = await shared().token();
    const proof = await other.proof({
      url: `${PUBLIC_URL}/things`,
      token,
      header: { jwk: shared().client.jwk },
    });
    expect(await shared().outcome({ token, proof })).toMatchObject(INVALID);
    expect(await shared().outcome({ token, proof: proof.slice(0, -4) })).toMatchObject(INVALID);
  });

  function open(...[dpop, alg]: [Parameters<typeof startDpopApi>[0]?, string?]): Promise<DpopApi> {
    return startDpopApi(dpop, { alg });
  }
});
