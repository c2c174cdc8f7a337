import { decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { missing, publicPart } from './files.js';
import { split } from './mutations.js';
import { TWIN_PAYLOAD } from './twin-api.js';
import { ECDSA_MIRROR, ECDSA_MUTATIONS, mutateEcdsa, transplantPadding } from './twin-signing.js';
import { apiFor, privateKeyOf, range, twinOf, vectorOf } from './twins.js';

describe.skipIf(missing)(`twins of padding flaws, PKCS#1 v1.5 ${missing ?? ''}`, () => {
  const api = apiFor(() => vectorOf(33).published);
  const twins = range(33, 258).flatMap((vector) => {
    const key = privateKeyOf(vector);
    const token = transplantPadding(vector.token, TWIN_PAYLOAD, publicPart(key), key);
    return token === undefined ? [] : [{ ...vector, token }];
  });

  it('accepts the valid vector after the same transplantation', async () => {
    expect(await api.answer(twins.find(({ tcId }) => tcId === 33)?.token ?? '')).toBe('accepted');
  });

  it.each(twins.filter(({ tcId }) => tcId !== 33))(
    'rejects the twin of $tcId: $comment',
    async ({ token }) => {
      expect(await api.answer(token)).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
    },
  );

  it('covers every flaw that leaves the digest in place', () => {
    expect(twins).toHaveLength(198);
  });
});

describe.skipIf(missing)(`twins of special ECDSA values ${missing ?? ''}`, () => {
  const api = apiFor(() => vectorOf(378).published);
  const twin = (): string => twinOf(vectorOf(378), 'ES256');

  it('accepts the twin of the valid vector, and its mirror image', async () => {
    expect(await api.answer(twin())).toBe('accepted');
    // (r, n - s) verifies as well: ECDSA is malleable, which is why no signature may serve as an identity.
    expect(await api.answer(mutateEcdsa(twin(), ECDSA_MIRROR))).toBe('accepted');
  });

  it.each(range(379, 385))('rejects the twin of $tcId: $comment', async ({ tcId, token }) => {
    const mutate = ECDSA_MUTATIONS[tcId] ?? ECDSA_MIRROR;
    const original = mutateEcdsa(vectorOf(18).token, mutate);
    expect(original).toBe(token);
    expect(await api.answer(mutateEcdsa(twin(), mutate))).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it.each(range(386, 401))('rejects the twin of $tcId: $comment', async ({ token }) => {
    const { header, payload } = split(twin());
    const answer = await api.answer(`${header}.${payload}.${split(token).signature}`);
    expect(answer).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('covers each of them', () => {
    expect(range(379, 401)).toHaveLength(23);
  });
});

describe.skipIf(missing)(`twins of wrong primitives ${missing ?? ''}`, () => {
  const api = apiFor(() => vectorOf(325).published);
  const kid = 'PS512_2048';

  it('accepts the twin signed as the key says', async () => {
    expect(await api.answer(twinOf(vectorOf(325), 'PS512'))).toBe('accepted');
  });

  it.each(range(331, 340))('rejects the twin of $tcId: $comment', async (vector) => {
    const primitive = vector.comment.replace('Using', '');
    expect(decodeProtectedHeader(vector.token).kid).toBe(kid);
    const { alg } = decodeProtectedHeader(vector.token);
    const code = alg === 'PS512' ? 'AUTH_TOKEN_SIGNATURE_INVALID' : 'AUTH_TOKEN_ALGORITHM_REFUSED';
    expect(await api.answer(twinOf(vector, primitive))).toBe(code);
  });

  it('covers each of them', () => {
    expect(range(331, 340)).toHaveLength(10);
  });
});
