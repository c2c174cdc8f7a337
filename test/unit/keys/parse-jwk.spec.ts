import { describe, expect, it } from 'vitest';
import { algorithmPolicy } from '../../../lib/keys/algorithms.js';
import { fingerprint } from '../../../lib/keys/fingerprint.js';
import { parseJwk } from '../../../lib/keys/parse-jwk.js';
import { SigningKey } from '../../../lib/keys/signing-key.js';
import { makeSigner } from '../../support/issuers/signer.js';

const rsa = makeSigner('RS256').jwk;
const ec = makeSigner('ES256').jwk;
const ed = makeSigner('EdDSA').jwk;

/** The algorithm the key serves, or the reason why it is not used. */
function outcomeOf(jwk: object, algorithms?: readonly string[]): string {
  const parsed = parseJwk({ ...jwk }, 'fingerprint', algorithmPolicy(algorithms));
  return parsed instanceof SigningKey ? parsed.algorithm : parsed;
}

const rows: readonly [string, object, string][] = [
  ['a key without kty', { ...ec, kty: undefined }, 'malformed'],
  ['a kid that is no string', { ...ec, kid: 7 }, 'malformed'],
  ['an issuer that is no string', { ...ec, issuer: 7 }, 'malformed'],
  ['key_ops that is no list', { ...ec, use: undefined, key_ops: 'verify' }, 'malformed'],
  ['key_ops with a name twice', { ...ec, use: undefined, key_ops: ['verify', 'verify'] }, 'malformed'],
  ['key_ops that contradicts use', { ...ec, use: 'sig', key_ops: ['verify', 'encrypt'] }, 'malformed'],
  [
    'a coordinate without its leading zero',
    { ...ec, x: Buffer.alloc(31, 1).toString('base64url') },
    'malformed',
  ],
  ['a point that is not on the curve', { ...ec, x: Buffer.alloc(32, 1).toString('base64url') }, 'malformed'],
  ['no exponent', { ...rsa, e: undefined }, 'malformed'],
  ['a private member', { ...ec, d: '' }, 'private'],
  ['a private member of RSA', { ...rsa, qi: 'AA' }, 'private'],
  ['a symmetric key', { kty: 'oct', k: 'AA' }, 'symmetric'],
  ['a symmetric member', { ...rsa, k: 'AA' }, 'symmetric'],
  ['use: enc', { ...ec, use: 'enc' }, 'not-for-signatures'],
  ['key_ops without verify', { ...ec, use: undefined, key_ops: ['sign'] }, 'not-for-signatures'],
  ['an alg of another key type', { ...ec, alg: 'RS256' }, 'unsupported'],
  ['an alg of another curve', { ...ec, alg: 'ES384' }, 'unsupported'],
  ['an alg that is no string', { ...ec, alg: ['ES256'] }, 'unsupported'],
  ['HS256', { ...rsa, alg: 'HS256' }, 'unsupported'],
  ['secp256k1', { ...ec, crv: 'secp256k1' }, 'unsupported'],
  ['X25519', { ...ed, crv: 'X25519' }, 'unsupported'],
  ['a curve of EC in an OKP key', { ...ed, crv: 'P-256' }, 'unsupported'],
  ['a curve of OKP in an EC key', { ...ec, crv: 'Ed25519', alg: undefined }, 'unsupported'],
  ['a curve named like a member of Object', { ...ec, crv: 'constructor' }, 'unsupported'],
  ['a curve that is an object', { ...ec, crv: {} }, 'unsupported'],
  ['AKP without alg', { kty: 'AKP', pub: 'AA' }, 'unsupported'],
  ['an unknown kty', { kty: 'PQ' }, 'unsupported'],
];

describe('the parser of a JWK', () => {
  it.each(rows)('returns why it is not used when it has %s', (_, jwk, fault) => {
    expect(outcomeOf(jwk)).toBe(fault);
  });

  it.each(['ES256', 'ES384', 'ES512', 'RS256', 'PS384', 'EdDSA', 'Ed25519'])(
    'returns a key for %s when it names it and the list allows it',
    (alg) => {
      const { jwk } = makeSigner(alg);
      expect(outcomeOf(jwk, [alg])).toBe(alg);
      expect(outcomeOf({ ...jwk, use: undefined, key_ops: ['verify'] }, [alg])).toBe(alg);
      expect(outcomeOf(jwk, [alg === 'RS512' ? 'RS256' : 'RS512'])).toBe('algorithm-not-allowed');
    },
  );

  it('returns a key for RS256 when an RSA key has no alg, or for the only RSA algorithm of the list', () => {
    const nameless = { ...rsa, alg: undefined };
    expect(outcomeOf(nameless)).toBe('RS256');
    expect(outcomeOf(nameless, ['PS256', 'ES256'])).toBe('PS256');
  });

  it('returns a key when its numbers are in plain base64 with padding, and when unset members are null', () => {
    expect(outcomeOf({ ...rsa, n: `${String(rsa.n)}==` })).toBe('RS256');
    expect(outcomeOf({ ...ec, d: null, use: null, key_ops: [], kid: null })).toBe('ES256');
  });

  it('returns a key that serves both names when it is on Ed25519', () => {
    for (const [alg, allowed] of [
      ['EdDSA', 'Ed25519'],
      ['Ed25519', 'EdDSA'],
      [undefined, 'EdDSA'],
      [undefined, 'Ed25519'],
    ] as const) {
      const parsed = parseJwk({ ...ed, alg }, 'fingerprint', algorithmPolicy([allowed]));
      if (!(parsed instanceof SigningKey)) throw new Error(parsed);
      expect([parsed.verifies('EdDSA'), parsed.verifies('Ed25519'), parsed.verifies('ES256')]).toEqual([
        true,
        true,
        false,
      ]);
    }
  });

  it('returns weak when an RSA key is short or its exponent is small', () => {
    const short = makeSigner('RS256', { modulusLength: 1024 }).jwk;
    const small = makeSigner('RS256', { publicExponent: 3 }).jwk;
    expect([short, small].map((jwk) => outcomeOf(jwk))).toEqual(['weak', 'weak']);
  });

  it('returns a key that holds the public members alone', () => {
    const parsed = parseJwk({ ...ec, x5c: ['junk'] }, 'fingerprint', algorithmPolicy(undefined));
    if (!(parsed instanceof SigningKey)) throw new Error(parsed);
    expect(parsed.publicKey.type).toBe('public');
    expect(parsed.toPem()).toMatch(/^-----BEGIN PUBLIC KEY-----/);
    expect(parsed.kid).toBe(ec['kid']);
    expect(Object.isFrozen(parsed.jwk)).toBe(true);
  });
});

describe('fingerprint', () => {
  it('returns the same text when only the order of members differs, at any depth', () => {
    expect(fingerprint({ a: 1, b: { c: [1, 2], d: 2 } })).toBe(fingerprint({ b: { d: 2, c: [1, 2] }, a: 1 }));
  });

  it('returns another text when a member, a value or the order of a list differs', () => {
    const texts = [{ a: 1 }, { a: '1' }, { a: 1, b: undefined, c: 1 }, { a: [1, 2] }, { a: [2, 1] }].map(
      fingerprint,
    );
    expect(new Set(texts).size).toBe(5);
  });

  it('throws when it is nested beyond what the serializer follows', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`);
    expect(() => fingerprint(deep)).toThrow(RangeError);
  });
});
