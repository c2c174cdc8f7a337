import { decodeProtectedHeader } from 'jose';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { missing, readDpopExamples } from './files.js';
import { stageOf } from './stage.js';
import { TwinApi } from './twin-api.js';

const { access_token: accessToken, proofs } = readDpopExamples();
const holder = v.object({ jwk: v.record(v.string(), v.unknown()) });

describe.skipIf(missing)(`RFC 9449 proofs sent as access tokens ${missing ?? ''}`, async () => {
  it.each(proofs)(
    'rejects $where by its typ before any key, although its signature is good',
    async ({ proof }) => {
      const { jwk } = v.parse(holder, decodeProtectedHeader(proof));
      // The control: nothing is wrong with the signature, even by a key that the issuer itself publishes.
      expect(await stageOf(proof, [jwk], { tokenTypes: ['dpop+jwt'] })).toBe('claims');
      expect(await stageOf(proof, [jwk])).toBe('header');
    },
  );

  it.each(proofs)('rejects $where at the time it was made', async ({ proof, iat }) => {
    const { jwk } = v.parse(holder, decodeProtectedHeader(proof));
    using api = await TwinApi.start([jwk], { now: iat * 1000 });
    expect(await api.answer(proof)).toBe('AUTH_TOKEN_TYPE_REFUSED');
    using careless = await TwinApi.start([jwk], { now: iat * 1000, tokenTypes: ['dpop+jwt'] });
    expect(await careless.answer(proof)).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });

  it('rejects the opaque access token of the example by its structure', async () => {
    expect(await stageOf(accessToken, [])).toBe('structure');
  });

  it('counts both proofs', () => {
    expect(proofs).toHaveLength(2);
  });
});
