import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { algorithmsFor, coordinateLength } from './algorithms.js';
import type { Jwk } from './fingerprint.js';
import { isRocaModulus } from './roca.js';

// RFC 7518 §3.3 sets the floor; the ceiling bounds what one verification may cost.
const RSA_BITS = { min: 2048, max: 8192 };
// FIPS 186-5 §5.1: larger than 2^16.
const RSA_MIN_EXPONENT = 65_537n;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * Imports the public key of a JWK. Only the public members reach the import: `x5c` and the rest are never a source of
 * keys. Pure.
 *
 * @returns the key, or why it cannot be used
 */
export function importKey(jwk: Jwk): KeyObject | 'malformed' | 'weak' {
  const members = publicMembers(jwk);
  if (!members) return 'malformed';
  try {
    const key = createPublicKey({ key: members, format: 'jwk' });
    if (key.type !== 'public') return 'malformed';
    return key.asymmetricKeyType === 'rsa' && isWeakRsa(members.n, key) ? 'weak' : key;
  } catch {
    return 'malformed';
  }
}

/** The members that make up the key, each of them well-formed; `undefined` when one is not. */
function publicMembers({ kty, n, e, crv, x, y, alg, pub }: Jwk): JsonWebKey | undefined {
  if (kty === 'RSA') return isNumber(n) && isNumber(e) ? { kty, n, e } : undefined;
  if (kty === 'AKP') return typeof alg === 'string' && isNumber(pub) ? { kty, alg, pub } : undefined;
  const [algorithm] = algorithmsFor(kty, crv);
  const length = algorithm && coordinateLength(algorithm);
  if (typeof crv !== 'string' || length === undefined || !isCoordinate(x, length)) return undefined;
  if (kty === 'OKP') return { kty, crv, x };
  return kty === 'EC' && isCoordinate(y, length) ? { kty, crv, x, y } : undefined;
}

function isNumber(value: unknown): value is string {
  return typeof value === 'string' && BASE64URL.test(value);
}

/** RFC 7518 §6.2.1.2: coordinates have the full length of the field, leading zeros included. */
function isCoordinate(value: unknown, bytes: number): value is string {
  return isNumber(value) && Buffer.from(value, 'base64url').length === bytes;
}

function isWeakRsa(modulus: unknown, key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < RSA_BITS.min || modulusLength > RSA_BITS.max) return true;
  if (publicExponent < RSA_MIN_EXPONENT || publicExponent % 2n === 0n) return true;
  return isRocaModulus(BigInt(`0x${Buffer.from(String(modulus), 'base64url').toString('hex')}`));
}
