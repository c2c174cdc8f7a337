import { createHmac } from 'node:crypto';
import { decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { missing, type Jwk, type WycheproofVector } from './files.js';
import { split } from './mutations.js';
import { segment, TWIN_PAYLOAD, TwinApi } from './twin-api.js';
import { signedToken, signWithExponentOne, verifiesWith } from './twin-signing.js';
import { keyVectorOf, twinOf, vectorOf } from './twins.js';

/** Valid vectors of key pairs, one per key; what the table of overrides says of the key is in the next group. */
const CONTROLS = [18, 33, 259, 264, 268, 272, 320, 325, 345, 349, 378].map((tcId) => ({ tcId }));
const MISLABELLED = [
  { tcId: 346, alg: 'PS384' },
  { tcId: 350, alg: 'PS384' },
  { tcId: 347, alg: 'ES512' },
  { tcId: 351, alg: 'ES512' },
];

describe.skipIf(missing)(`twins of valid vectors ${missing ?? ''}`, () => {
  it.each(CONTROLS)('accepts the twin of $tcId', async ({ tcId }) => {
    const vector = vectorOf(tcId);
    using api = await TwinApi.start(vector.published);
    expect(await api.answer(twinOf(vector, String(decodeProtectedHeader(vector.token).alg)))).toBe(
      'accepted',
    );
  });

  it.each(MISLABELLED)(
    'rejects $tcId by the alg of its JWK, and accepts it with the right one',
    async ({ tcId, alg }) => {
      const vector = vectorOf(tcId);
      const token = twinOf(vector, alg);
      using mislabelled = await TwinApi.start([...vector.published, ...vectorOf(33).published]);
      // 347 and 351 name an algorithm that does not exist: such a key is not used at all.
      const code = alg === 'ES512' ? 'AUTH_TOKEN_SIGNATURE_INVALID' : 'AUTH_TOKEN_ALGORITHM_REFUSED';
      expect(await mislabelled.answer(token)).toBe(code);
      using corrected = await TwinApi.start(vector.published.map((key) => ({ ...key, alg })));
      expect(await corrected.answer(token)).toBe('accepted');
    },
  );

  it.each([353, 354, 355, 356])(
    'rejects %i by the purpose of its key, and accepts it with the right one',
    async (tcId) => {
      const vector = vectorOf(tcId);
      const token = twinOf(vector, String(decodeProtectedHeader(vector.token).alg));
      using misused = await TwinApi.start([...vector.published, ...vectorOf(259).published]);
      expect(await misused.answer(token)).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
      using rededicated = await TwinApi.start(
        vector.published.map((key) => ({ ...key, use: 'sig', key_ops: ['verify'] })),
      );
      expect(await rededicated.answer(token)).toBe('accepted');
    },
  );
});

describe.skipIf(missing)(`a key that the token brings along (vector 32) ${missing ?? ''}`, () => {
  it('rejects the token, although it verifies with that key', async () => {
    const attacker = await generateKeyPair('ES256', { extractable: true });
    const publicKey: Jwk = {
      ...(await exportJWK(attacker.publicKey)),
      kid: 'kid-ec-sign',
      alg: 'ES256',
      use: 'sig',
    };
    const header = segment({ alg: 'ES256', kid: 'kid-ec-sign', jwk: publicKey });
    const token = signedToken('ES256', header, TWIN_PAYLOAD, { ...(await exportJWK(attacker.privateKey)) });
    using theirs = await TwinApi.start([publicKey]);
    expect(await theirs.answer(token)).toBe('accepted');
    using ours = await TwinApi.start(vectorOf(18).published);
    expect(await ours.answer(token)).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
  });
});

describe.skipIf(missing)(`twins of bad keys ${missing ?? ''}`, { timeout: 30_000 }, () => {
  const good = (): WycheproofVector => vectorOf(259);
  const goodToken = (): string => twinOf(good(), 'RS256');

  /** A set with the bad key beside a good one: the bad one must not be used, and must not cost the good one. */
  async function answersBeside(published: readonly Jwk[], token: string): Promise<readonly string[]> {
    using api = await TwinApi.start([...published, ...good().published]);
    return [await api.answer(goodToken()), await api.answer(token)];
  }

  it('accepts the twin of the valid vector 5', async () => {
    const vector = keyVectorOf(5);
    expect(await answersBeside(vector.published, twinOf(vector, 'RS256'))).toEqual(['accepted', 'accepted']);
  });

  it.each([
    { tcId: 6, what: 'use enc' },
    { tcId: 7, what: 'a ROCA modulus' },
    { tcId: 8, what: 'a modulus of 1024 bits' },
  ])('rejects the key of $tcId: $what, although the signature is right', async ({ tcId }) => {
    const vector = keyVectorOf(tcId);
    const token = twinOf(vector, 'RS256');
    expect(verifiesWith(vector.published, token)).toBe(true);
    expect(await answersBeside(vector.published, token)).toEqual([
      'accepted',
      'AUTH_TOKEN_SIGNATURE_INVALID',
    ]);
  });

  it('rejects the key of 9: exponent 1, with which every attacker can sign', async () => {
    const vector = keyVectorOf(9);
    const token = signWithExponentOne(split(vector.token).header, TWIN_PAYLOAD, 256);
    expect(await answersBeside(vector.published, token)).toEqual([
      'accepted',
      'AUTH_TOKEN_SIGNATURE_INVALID',
    ]);
    const original = signWithExponentOne(split(vector.token).header, '', 256);
    expect(original).toBe(vector.token);
  });

  it.each([
    { tcId: 19, what: 'alg of another curve' },
    { tcId: 20, what: 'alg that does not exist' },
    { tcId: 21, what: 'use enc' },
    { tcId: 22, what: 'a point off the curve' },
    { tcId: 23, what: 'another curve' },
    { tcId: 24, what: 'another key type' },
  ])('rejects the key of $tcId: $what, over the key of vector 18', async ({ tcId }) => {
    const token = twinOf(vectorOf(18), 'ES256');
    expect(await answersBeside(vectorOf(18).published, token)).toEqual(['accepted', 'accepted']);
    const { published } = keyVectorOf(tcId);
    expect(await answersBeside(published, token)).toEqual(['accepted', 'AUTH_TOKEN_SIGNATURE_INVALID']);
  });

  it('rejects the symmetric key of 1 in a mixed set, and accepts the EC key beside it', async () => {
    const { published, token } = keyVectorOf(1);
    const [secret = {}] = published.filter(({ kty }) => kty === 'oct');
    const { header } = split(token);
    const input = `${header}.${TWIN_PAYLOAD}`;
    const mac = createHmac('sha256', Buffer.from(String(secret['k']), 'base64url')).update(input);
    using api = await TwinApi.start([secret, ...vectorOf(18).published]);
    expect(await api.answer(twinOf(vectorOf(18), 'ES256'))).toBe('accepted');
    expect(await api.answer(`${input}.${mac.digest('base64url')}`)).toBe('AUTH_TOKEN_ALGORITHM_REFUSED');
  });

  it.each(['RS256', 'ES256'])('accepts two %s keys of one kid (4), and rejects a third', async (alg) => {
    const pairs = await Promise.all([1, 2, 3].map(() => generateKeyPair(alg, { extractable: true })));
    const header = segment({ alg, kid: 'twice' });
    const tokens = await Promise.all(
      pairs.map(async ({ privateKey }) =>
        signedToken(alg, header, TWIN_PAYLOAD, { ...(await exportJWK(privateKey)) }),
      ),
    );
    const published = await Promise.all(
      pairs.map(async ({ publicKey }) => ({ ...(await exportJWK(publicKey)), kid: 'twice', alg })),
    );
    using api = await TwinApi.start(published.slice(0, 2));
    const answers = await Promise.all(tokens.map((token) => api.answer(token)));
    expect(answers).toEqual(['accepted', 'accepted', 'AUTH_TOKEN_SIGNATURE_INVALID']);
  });
});
