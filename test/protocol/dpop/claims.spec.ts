import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { platforms } from '../../support/apps/platforms.js';
import { useDpopApi } from '../../support/dpop/dpop-api.js';

const INVALID = { status: 401, code: 'AUTH_PROOF_INVALID' };

describe('the claims of a proof', () => {
  const api = useDpopApi();

  const wrong = [undefined, null, '', 7, true, {}, ['a']] as const;
  it.each(['jti', 'htm', 'htu', 'ath'].flatMap((name) => wrong.map((value) => ({ name, value }))))(
    '[P3-3] rejects $name $value',
    async ({ name, value }) => {
      expect(await api().outcome({ claims: { [name]: value } })).toMatchObject(INVALID);
    },
  );

  it.each([undefined, null, '', '1767225600', true, {}, [1]])('[P3-3] rejects iat %j', async (iat) => {
    expect(await api().outcome({ claims: { iat } })).toMatchObject(INVALID);
  });

  it('[P3-3] rejects an iat of any other time, and accepts one with a fraction', async () => {
    const now = Date.now() / 1000;
    expect(await api().outcome({ claims: { iat: now - 0.5 } })).toMatchObject({ status: 200 });
    for (const iat of [1e308, -1e308, 0])
      expect(await api().outcome({ claims: { iat } })).toMatchObject(INVALID);
  });

  it('[P3-6] rejects the ath of another token, of a prefix, and in another encoding', async () => {
    const [token, other] = [await api().token(), await api().token()];
    const { client } = api();
    const url = 'https://api.example.com/things';
    for (const made of [other, token.slice(0, -1), `DPoP ${token}`])
      expect(await api().outcome({ token, proof: await client.proof({ url, token: made }) })).toMatchObject(
        INVALID,
      );
    const ath = createHash('sha256').update(token).digest('hex');
    expect(await api().outcome({ token, claims: { ath } })).toMatchObject(INVALID);
    expect(await api().outcome({ token })).toMatchObject({ status: 200 });
  });
});

describe.each(platforms)('the binding of a token, on $platform', ({ create }) => {
  const api = useDpopApi({}, { create });

  it('[P3-6] rejects the proof of another key with invalid_token', async () => {
    const thief = await api().issuer.dpopClient();
    const token = await api().token();
    const proof = await thief.proof({ url: 'https://api.example.com/things', token });
    const { status, code, challenge } = await api().outcome({ token, proof });
    expect({ status, code }).toEqual({ status: 401, code: 'AUTH_PROOF_KEY_MISMATCH' });
    expect(challenge).toMatch(
      /^DPoP error="invalid_token", error_description="[^"]+", algs="[^"]+", Bearer$/,
    );
  });

  it.each([[null], [''], [7], [{}], [[]], ['x'], [undefined]])(
    '[P3-6] rejects a token whose cnf.jkt is %j',
    async (jkt) => {
      const token = await api().token({
        cnf: { jkt: jkt === undefined ? `${api().client.thumbprint}=` : jkt },
      });
      for (const scheme of ['DPoP', 'Bearer']) {
        const { status, code } = await api().outcome({ token, scheme });
        expect(status).toBe(401);
        expect(code).toBe(scheme === 'DPoP' ? 'AUTH_PROOF_KEY_MISMATCH' : 'AUTH_TOKEN_SENDER_CONSTRAINED');
      }
    },
  );

  it.each(['RS256', 'PS256', 'ES384', 'EdDSA'])(
    '[P3-6] accepts the thumbprint of a key for %s',
    async (alg) => {
      const client = await api().issuer.dpopClient({ alg });
      const token = await client.sign();
      const proof = await client.proof({ url: 'https://api.example.com/things', token });
      expect(await api().outcome({ token, proof })).toMatchObject({ status: 200 });
    },
  );

  it('[P3-11] rejects tokens that are bound in another way too, or only in ways that are not known', async () => {
    const { thumbprint: jkt } = api().client;
    for (const cnf of [
      { jkt, 'x5t#S256': 'y' },
      { 'x5t#S256': 'y' },
      { unknown: 1 },
      {},
      'jkt',
      [],
      { jkt, kid: 'a' },
    ]) {
      const token = await api().token({ cnf });
      const { status, code } = await api().outcome({ token });
      expect({ status, code }).toEqual({ status: 401, code: 'AUTH_TOKEN_SENDER_CONSTRAINED' });
    }
    const token = await api().token({ cnf: { jkt, unknown: 1 } });
    expect(await api().outcome({ token })).toMatchObject({ status: 200 });
  });
});
