import type { Jwk } from './fingerprint.js';
import { algorithmsFor, coordinateLength } from './algorithms.js';

/** A JWK as the specifications would have it written. */
export interface NormalizedJwk {
  readonly jwk: Jwk;
  /** Members that hold the right number in another spelling than RFC 7518 §2 and §6 ask for. */
  readonly normalized: readonly string[];
}

const EMPTY_LISTS = new Set(['oth', 'key_ops', 'x5c']);
const BASE64 = /^[A-Za-z0-9_+/-]+={0,2}$/;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * Puts the spelling of a JWK right where its meaning is beyond doubt: members that are `null` and empty lists are
 * absent; `n` and `e` may be padded, plain base64 or have leading zeros, a coordinate of an EC key may lack them. Pure.
 */
export function normalizeJwk(published: Jwk): NormalizedJwk {
  const present = Object.entries(published).filter(([name, value]) => !isAbsent(name, value));
  const jwk: Jwk = present.length === Object.keys(published).length ? published : Object.fromEntries(present);
  const numbers = Object.entries(normalizedNumbers(jwk)).filter(([name, value]) => value !== jwk[name]);
  if (numbers.length === 0) return { jwk, normalized: [] };
  return { jwk: { ...jwk, ...Object.fromEntries(numbers) }, normalized: numbers.map(([name]) => name) };
}

function isAbsent(name: string, value: unknown): boolean {
  return value === null || (EMPTY_LISTS.has(name) && Array.isArray(value) && value.length === 0);
}

function normalizedNumbers({ kty, crv, n, e, x, y }: Jwk): Jwk {
  if (kty === 'RSA') return { n: withoutZeros(n), e: withoutZeros(e) };
  if (kty !== 'EC') return {};
  const [algorithm] = algorithmsFor(kty, crv);
  const length = algorithm && coordinateLength(algorithm);
  return length === undefined ? {} : { x: withZeros(x, length), y: withZeros(y, length) };
}

/** Base64urlUInt (RFC 7518 §2): base64url without padding of the least octets that hold the number. */
function withoutZeros(value: unknown): unknown {
  if (typeof value !== 'string' || !BASE64.test(value)) return value;
  const bytes = Buffer.from(value, 'base64');
  const start = bytes.findIndex((byte) => byte !== 0);
  return start === -1 ? value : bytes.subarray(start).toString('base64url');
}

/** RFC 7518 §6.2.1.2: a coordinate has the length of the field; some generators write it as a number, one key in 128. */
function withZeros(value: unknown, length: number): unknown {
  if (typeof value !== 'string' || !BASE64URL.test(value)) return value;
  const bytes = Buffer.from(value, 'base64url');
  if (bytes.length >= length) return value;
  return Buffer.concat([Buffer.alloc(length - bytes.length), bytes]).toString('base64url');
}
