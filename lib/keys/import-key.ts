import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { algorithmsFor, coordinateLength } from './algorithms.js';
import type { Jwk } from './fingerprint.js';
import { isRocaModulus } from './roca.js';

// RFC 7518 §3.3 sets the floor; the ceiling bounds what one verification may cost.
const RSA_BITS = { min: 2048, max: 8192 };
// FIPS 186-5 §5.1: larger than 2^16.
const RSA_MIN_EXPONENT = 65_537n;
/** Characters: 8192 bits, and 64 bits. A number is measured before it is imported: both import and use cost by length. */
const MAX_CHARACTERS = { n: 1400, e: 11 };
/** Characters of an ML-DSA-87 key (RFC 9964 §4), the longest: 2592 bytes. */
const MAX_PUB_CHARACTERS = 3456;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * Imports the public key of a normalized JWK. Only the public members reach the import: `x5c` and the rest are never a
 * source of keys. Pure.
 *
 * @returns the key, or why it cannot be used
 */
export function importKey(jwk: Jwk): KeyObject | 'malformed' | 'weak' {
  const members = publicMembers(jwk);
  if (typeof members === 'string') return members;
  try {
    const key = createPublicKey({ key: members, format: 'jwk' });
    if (key.type !== 'public') return 'malformed';
    return key.asymmetricKeyType === 'rsa' && isWeakRsa(members.n, key) ? 'weak' : key;
  } catch {
    return 'malformed';
  }
}

/** The members that make up the key, each of them well-formed. */
function publicMembers(jwk: Jwk): JsonWebKey | 'malformed' | 'weak' {
  if (jwk['kty'] === 'RSA') return rsaMembers(jwk);
  if (jwk['kty'] === 'AKP') return akpMembers(jwk);
  return curveMembers(jwk) ?? 'malformed';
}

function rsaMembers({ kty, n, e }: Jwk): JsonWebKey | 'malformed' | 'weak' {
  if (typeof kty !== 'string' || typeof n !== 'string' || typeof e !== 'string') return 'malformed';
  if (n.length > MAX_CHARACTERS.n || e.length > MAX_CHARACTERS.e) return 'weak';
  return BASE64URL.test(n) && BASE64URL.test(e) ? { kty, n, e } : 'malformed';
}

function akpMembers({ kty, alg, pub }: Jwk): JsonWebKey | 'malformed' {
  if (typeof kty !== 'string' || typeof alg !== 'string' || typeof pub !== 'string') return 'malformed';
  return pub.length <= MAX_PUB_CHARACTERS && BASE64URL.test(pub) ? { kty, alg, pub } : 'malformed';
}

function curveMembers({ kty, crv, x, y }: Jwk): JsonWebKey | undefined {
  const [algorithm] = algorithmsFor(kty, crv);
  const length = algorithm && coordinateLength(algorithm);
  if (typeof crv !== 'string' || length === undefined || !isCoordinate(x, length)) return undefined;
  if (kty === 'OKP') return { kty, crv, x };
  return kty === 'EC' && isCoordinate(y, length) ? { kty, crv, x, y } : undefined;
}

/** RFC 7518 §6.2.1.2: coordinates have the full length of the field. */
function isCoordinate(value: unknown, bytes: number): value is string {
  if (typeof value !== 'string' || value.length !== Math.ceil((bytes * 4) / 3)) return false;
  return BASE64URL.test(value);
}

function isWeakRsa(modulus: unknown, key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < RSA_BITS.min || modulusLength > RSA_BITS.max) return true;
  if (publicExponent < RSA_MIN_EXPONENT || publicExponent % 2n === 0n) return true;
  return isRocaModulus(BigInt(`0x${Buffer.from(String(modulus), 'base64url').toString('hex')}`));
}
