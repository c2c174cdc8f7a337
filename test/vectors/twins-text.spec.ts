import { decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { missing } from './files.js';
import {
  confuseSymmetry,
  SPELLING_MUTATIONS,
  split,
  TEXT_MUTATIONS,
  toJsonSerialization,
} from './mutations.js';
import { segment, TWIN_PAYLOAD, twinPayload } from './twin-api.js';
import { signAs } from './twin-signing.js';
import { apiFor, privateKeyOf, range, twinOf, vectorOf } from './twins.js';

const BY_NAME = [
  { alg: 'ES256', valid: 18, last: 32 },
  { alg: 'RS256', valid: 33, last: 45 },
];
/** What is not of the right form is malformed; these are, and fail for a better reason. */
const WELL_FORMED = new Set(['rejectsModifiedSignature', 'rejectsModifiedHeader']);

describe.skipIf(missing).each(BY_NAME)(`twins by name, $alg ${missing ?? ''}`, ({ alg, valid, last }) => {
  const cases = range(valid + 1, last).filter(({ comment }) => comment in TEXT_MUTATIONS);
  const api = apiFor(() => vectorOf(valid).published);
  const twin = (): string => twinOf(vectorOf(valid), alg);

  it('accepts the twin of the valid vector', async () => {
    expect(await api.answer(twin())).toBe('accepted');
  });

  it.each(cases)('rejects the twin of $tcId: $comment', async ({ comment, token }) => {
    const mutate = TEXT_MUTATIONS[comment] ?? String;
    expect(mutate(split(vectorOf(valid).token)), 'the mutation turns the valid vector into this one').toBe(
      token,
    );
    const code = WELL_FORMED.has(comment) ? 'AUTH_TOKEN_SIGNATURE_INVALID' : 'AUTH_TOKEN_MALFORMED';
    expect(await api.answer(mutate(split(twin())))).toBe(code);
  });

  it('covers each vector made of text', () => {
    expect(cases).toHaveLength(12);
  });

  it('rejects a signature over other good claims', async () => {
    const { header, signature } = split(twin());
    const promoted = twinPayload({ scope: 'admin' });
    expect(await api.answer(`${header}.${promoted}.${signature}`)).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('rejects the general JSON serialization (vector 17)', async () => {
    expect(await api.answer(toJsonSerialization(split(twin())))).toBe('AUTH_TOKEN_MALFORMED');
  });

  it('rejects an HMAC made with the bytes of the public key (vector 31)', async () => {
    const header = decodeProtectedHeader(vectorOf(valid).token);
    const secrets = vectorOf(valid).published.flatMap((key) => [key['x'], key['y'], key['n']]);
    for (const secret of secrets.filter((value) => typeof value === 'string')) {
      const publicKeyBytes = Buffer.from(secret, 'base64url');
      const token = confuseSymmetry({ header, publicKeyBytes }, TWIN_PAYLOAD);
      expect(await api.answer(token)).toBe('AUTH_TOKEN_ALGORITHM_REFUSED');
    }
  });

  it.each(['none', 'NONE', 'nOnE', ''])('rejects alg "%s" with and without a signature', async (name) => {
    const header = segment({ ...decodeProtectedHeader(vectorOf(valid).token), alg: name });
    const { signature } = split(twin());
    expect(await api.answer(`${header}.${TWIN_PAYLOAD}.`)).toBe('AUTH_TOKEN_MALFORMED');
    expect(await api.answer(`${header}.${TWIN_PAYLOAD}.${signature}`)).toBe('AUTH_TOKEN_ALGORITHM_REFUSED');
  });
});

/** The character whose unused bits are others. */
function nextTo(character: string, bits: string): string {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return digits.charAt(digits.indexOf(character) + digits.indexOf(bits));
}

describe.skipIf(missing)(`twins by spelling ${missing ?? ''}`, () => {
  const api = apiFor(() => vectorOf(33).published);
  const { header } = split(missing === undefined ? vectorOf(33).token : '');
  const sign = (input: string): string => signAs('RS256', input, privateKeyOf(vectorOf(33)));

  it('accepts the twin that is spelled as it should be', async () => {
    const input = `${header}.${TWIN_PAYLOAD}`;
    expect(await api.answer(`${input}.${sign(input)}`)).toBe('accepted');
  });

  it.each(Object.entries(SPELLING_MUTATIONS))('rejects the spelling: %s', async (_, mutate) => {
    const mutated = mutate({ header, payload: TWIN_PAYLOAD, signature: '' });
    const signature = sign(`${mutated.header}.${mutated.payload}`);
    const parts = mutate({ header, payload: TWIN_PAYLOAD, signature });
    expect(await api.answer(`${parts.header}.${parts.payload}.${parts.signature}`)).toBe(
      'AUTH_TOKEN_MALFORMED',
    );
  });

  it('rejects another spelling of the last character of a segment (vectors 374 and 375)', async () => {
    const input = `${header}.${TWIN_PAYLOAD}`;
    const signature = sign(input);
    // 256 bytes are 342 characters and leave four unused bits in the last one.
    for (const bits of ['B', 'C', 'P']) {
      expect(await api.answer(`${input}.${signature.slice(0, -1)}${nextTo(signature.slice(-1), bits)}`)).toBe(
        'AUTH_TOKEN_MALFORMED',
      );
    }
  });

  it('covers each spelling of the base64 group', () => {
    const named = new Set(range(360, 373).map(({ comment }) => comment));
    expect([...named].filter((comment) => !(comment in SPELLING_MUTATIONS))).toEqual([]);
    expect(named.size).toBe(missing === undefined ? 13 : 0);
  });
});
