import { generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  ALGORITHMS,
  algorithmsFor,
  coordinateLength,
  findAlgorithm,
  isSameAlgorithm,
} from '../../../lib/keys/algorithms.js';
import { makeSigner, signWith } from '../../support/issuers/signer.js';

// One RSA key serves all six: it takes its time to make.
const rsa = makeSigner('RS256');

describe('the algorithm table', () => {
  it.each(ALGORITHMS.filter(({ kty }) => kty !== 'AKP'))(
    'verifies a signature of the fixed length when the algorithm is $name',
    ({ name, digest, padding, saltLength, signatureLength }) => {
      const { publicKey, privateKey } = findAlgorithm(name)?.kty === 'RSA' ? rsa : makeSigner(name);
      const data = Buffer.from('signed');
      const signature = signWith(privateKey, name)(data.toString());
      expect(signature).toHaveLength(signatureLength ?? 256);
      const options = { key: publicKey, padding, saltLength, dsaEncoding: 'ieee-p1363' } as const;
      expect(verify(digest, data, options, signature)).toBe(true);
    },
  );

  it('returns a salt as long as the digest, as RFC 7518 §3.5 requires', () => {
    const pss = ALGORITHMS.filter(({ saltLength }) => saltLength !== undefined);
    expect(pss.map(({ name, saltLength }) => [name, saltLength])).toEqual([
      ['PS256', 32],
      ['PS384', 48],
      ['PS512', 64],
    ]);
  });

  it('returns the default algorithms: RS, PS, ES and Ed25519, without ML-DSA', () => {
    const defaults = ALGORITHMS.filter(({ isDefault }) => isDefault).map(({ name }) => name);
    const expected = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 Ed25519 EdDSA';
    expect(defaults).toEqual(expected.split(' '));
  });

  it.each(['none', 'HS256', 'rs256', 'RSA-OAEP', '', '__proto__', 'constructor'])(
    'returns nothing when the name is %j',
    (name) => {
      expect(findAlgorithm(name)).toBeUndefined();
    },
  );

  it.each([
    ['RSA', undefined, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    ['EC', 'P-256', ['ES256']],
    ['EC', 'P-521', ['ES512']],
    ['OKP', 'Ed25519', ['Ed25519', 'EdDSA']],
    ['AKP', undefined, ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87']],
    ['EC', 'Ed25519', []],
    ['OKP', 'P-256', []],
    ['OKP', 'X25519', []],
    ['oct', undefined, []],
    [{}, [], []],
  ])('returns what a key of type %j and curve %j can serve', (kty, crv, names) => {
    expect(algorithmsFor(kty, crv).map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['ES256', 'P-256'],
    ['ES384', 'P-384'],
    ['ES512', 'P-521'],
    ['Ed25519', undefined],
  ])('returns the length of a coordinate of real keys when the algorithm is %s', (name, namedCurve) => {
    const algorithm = findAlgorithm(name);
    const { publicKey } = namedCurve
      ? generateKeyPairSync('ec', { namedCurve })
      : generateKeyPairSync('ed25519');
    const { x = '' } = publicKey.export({ format: 'jwk' });
    expect(algorithm && coordinateLength(algorithm)).toBe(Buffer.from(x, 'base64url').length);
  });

  it('returns one algorithm for two names only when they are those of Ed25519', () => {
    const names = ALGORITHMS.map(({ name }) => name);
    const same = names.flatMap((one) =>
      names.filter((other) => one !== other && isSameAlgorithm(one, other)).map((other) => [one, other]),
    );
    expect(same).toEqual([
      ['Ed25519', 'EdDSA'],
      ['EdDSA', 'Ed25519'],
    ]);
    expect(isSameAlgorithm('unknown', 'unknown too')).toBe(false);
  });
});
