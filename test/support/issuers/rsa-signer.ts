import { createHash, createPublicKey, generatePrimeSync, randomUUID, verify } from 'node:crypto';
import type { Signer } from './signer.js';

/** RFC 8017 §9.2: the DigestInfo of SHA-256. */
const SHA256_PREFIX = Buffer.from('3031300d060960864801650304020105000420', 'hex');
/** The primes up to 167, two included: what the ROCA fingerprint is taken over. */
const SMALL_PRIMES = [
  2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
  107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/** What an RSA key is made of, where crypto would refuse to make it. */
export interface RsaRecipe {
  /** How many primes, and of how many bits each. */
  readonly primes?: number;
  readonly primeBits?: number;
  readonly exponent?: bigint;
  /** Primes of the form the flawed generator of CVE-2017-15361 made. */
  readonly isRoca?: boolean;
  /** Zero bytes in front of the published modulus. */
  readonly padding?: number;
}

/** An RS256 key of any quality, which really signs: the control is {@link verifiesByItself}. */
export function makeRsaSigner(
  recipe: RsaRecipe = {},
): Pick<Signer, 'kid' | 'alg' | 'jwk' | 'publicKey' | 'sign'> {
  const { primes: count = 2, primeBits = 1024, exponent = 65_537n, isRoca = false, padding = 0 } = recipe;
  const primes = Array.from({ length: count }, () => makePrime(primeBits, exponent, isRoca));
  const modulus = primes.reduce((product, prime) => product * prime, 1n);
  const n = Buffer.concat([Buffer.alloc(padding), bytesOf(modulus)]).toString('base64url');
  const key = { kty: 'RSA', n, e: bytesOf(exponent).toString('base64url') };
  const kid = randomUUID();
  return {
    kid,
    alg: 'RS256',
    jwk: { ...key, kid, alg: 'RS256', use: 'sig' },
    publicKey: createPublicKey({ key, format: 'jwk' }),
    sign: (input) => {
      const length = bytesOf(modulus).length;
      const message = BigInt(`0x${padded(input, length).toString('hex')}`);
      return bytesOf(root(message, exponent, primes), length);
    },
  };
}

/** The control: with no library of ours in between, what this key signs does verify. */
export function verifiesByItself({ publicKey, sign }: Pick<Signer, 'publicKey' | 'sign'>): boolean {
  return verify('sha256', Buffer.from('control'), publicKey, sign('control'));
}

/** RFC 8017 §9.2, EMSA-PKCS1-v1_5. */
function padded(input: string, length: number): Buffer {
  const digest = Buffer.concat([SHA256_PREFIX, createHash('sha256').update(input).digest()]);
  const filling = Buffer.alloc(length - digest.length - 3, 0xff);
  return Buffer.concat([Buffer.from([0, 1]), filling, Buffer.from([0]), digest]);
}

function makePrime(bits: number, exponent: bigint, isRoca: boolean): bigint {
  for (;;) {
    const prime = isRoca ? makeRocaPrime(bits) : generatePrimeSync(bits, { bigint: true });
    if (exponent === 1n || (prime - 1n) % exponent !== 0n) return prime;
  }
}

/** k·M + (65537^a mod M), M being the product of the small primes. */
function makeRocaPrime(bits: number): bigint {
  const primorial = SMALL_PRIMES.reduce((product, prime) => product * BigInt(prime), 1n);
  const rem = power(65_537n, BigInt(Math.floor(Math.random() * 2 ** 40)), primorial);
  return generatePrimeSync(bits, { add: primorial, rem, bigint: true });
}

/** RFC 8017 §5.1.2: the root modulo each prime, put together by the Chinese remainder theorem. */
function root(message: bigint, exponent: bigint, primes: readonly bigint[]): bigint {
  let result = 0n;
  let product = 1n;
  for (const prime of primes) {
    const residue = power(message, inverse(exponent, prime - 1n), prime);
    const step = ((residue - result) * inverse(product, prime)) % prime;
    result += product * (step < 0n ? step + prime : step);
    product *= prime;
  }
  return result;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [r, s] = [modulus, value % modulus];
  let [x, y] = [0n, 1n];
  while (s !== 0n) {
    const quotient = r / s;
    [r, s] = [s, r - quotient * s];
    [x, y] = [y, x - quotient * y];
  }
  return ((x % modulus) + modulus) % modulus;
}

function bytesOf(value: bigint, length = 0): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.alloc(Math.max(0, length - bytes.length)), bytes]);
}
