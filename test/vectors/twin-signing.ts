import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  privateEncrypt,
  publicDecrypt,
  sign,
  verify,
  type JsonWebKey,
} from 'node:crypto';
import * as v from 'valibot';
import type { Jwk } from './files.js';

const keyMembers = v.object({
  kty: v.string(),
  crv: v.optional(v.string()),
  x: v.optional(v.string()),
  y: v.optional(v.string()),
  n: v.optional(v.string()),
  e: v.optional(v.string()),
  d: v.optional(v.string()),
  p: v.optional(v.string()),
  q: v.optional(v.string()),
  dp: v.optional(v.string()),
  dq: v.optional(v.string()),
  qi: v.optional(v.string()),
});

/** The bare key: `use`, `key_ops` and `alg` are what many vectors lie about, and must not stop the twin's signer. */
function bare(key: Jwk): JsonWebKey {
  return v.parse(keyMembers, key);
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

/** Signs as `alg` says, with any key; node:crypto does it, so that jose is not asked about itself. */
export function signAs(alg: string, input: string, privateKey: Jwk): string {
  const key = createPrivateKey({ key: bare(privateKey), format: 'jwk' });
  const scheme = alg.startsWith('PS') ? PSS : { dsaEncoding: 'ieee-p1363' as const };
  return sign(`sha${alg.slice(2)}`, Buffer.from(input), { key, ...scheme }).toString('base64url');
}

/** Whether one of these keys, taken for what it is, verifies a token signed with RS256. */
export function verifiesWith(keys: readonly Jwk[], token: string): boolean {
  const end = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  return keys.some((key) =>
    verify('sha256', Buffer.from(token.slice(0, end)), { key: bare(key), format: 'jwk' }, signature),
  );
}

/** A compact token over these segments. */
export function signedToken(alg: string, header: string, payload: string, privateKey: Jwk): string {
  return `${header}.${payload}.${signAs(alg, `${header}.${payload}`, privateKey)}`;
}

/**
 * A PKCS#1 v1.5 signature with the same flaw in its padding over another text: the encoded message is taken out of the
 * vector's signature (s^e mod n), the digest in it replaced, and the result signed raw (EM'^d mod n). `undefined` when
 * the flaw has destroyed the digest, or the signature is no number below n.
 */
export function transplantPadding(
  vector: string,
  payload: string,
  publicKey: Jwk,
  privateKey: Jwk,
): string | undefined {
  const [header = '', oldPayload = '', signature = ''] = vector.split('.');
  const encoded = encodedMessage(signature, publicKey);
  const at = encoded?.indexOf(sha256(`${header}.${oldPayload}`)) ?? -1;
  if (!encoded || at < 0) return undefined;
  sha256(`${header}.${payload}`).copy(encoded, at);
  const key = createPrivateKey({ key: bare(privateKey), format: 'jwk' });
  const raw = privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
  return `${header}.${payload}.${raw.toString('base64url')}`;
}

function encodedMessage(signature: string, publicKey: Jwk): Buffer | undefined {
  const key = createPublicKey({ key: bare(publicKey), format: 'jwk' });
  try {
    return publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, Buffer.from(signature, 'base64url'));
  } catch {
    return undefined;
  }
}

/** What a key with the exponent 1 makes of any text: the encoded message itself (1^-1 = 1), signed without a private key. */
export function signWithExponentOne(header: string, payload: string, bytes: number): string {
  const digestInfo = Buffer.concat([
    Buffer.from('3031300d060960864801650304020105000420', 'hex'),
    sha256(`${header}.${payload}`),
  ]);
  const padding = Buffer.alloc(bytes - digestInfo.length - 3, 0xff);
  const encoded = Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), digestInfo]);
  return `${header}.${payload}.${encoded.toString('base64url')}`;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The order of P-256. */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Flaws of an ECDSA signature that are made from a good one, by the number of the vector. */
export const ECDSA_MUTATIONS: Readonly<Record<number, (r: bigint, s: bigint) => Buffer>> = {
  379: (r, s) => Buffer.concat([bytes(r, 33), bytes(s, 33)]),
  380: (r, s) => Buffer.concat([bytes(r, 32), bytes(0n, 1), bytes(s, 32), bytes(0n, 1)]),
  381: (r, s) => Buffer.concat([bytes(r + N, 33), bytes(s, 33)]),
  382: (r, s) => Buffer.concat([bytes(r, 33), bytes(s + N, 33)]),
  383: (r, s) => Buffer.concat([bytes(r + 2n ** 256n, 33), bytes(s, 33)]),
  384: (r, s) => Buffer.concat([bytes(r, 33), bytes(s + 2n ** 256n, 33)]),
  385: (r, s) => Buffer.concat([bytes(r, 257), bytes(s, 257)]),
};

/** The other signature of the same text: n - s for s. */
export function ECDSA_MIRROR(r: bigint, s: bigint): Buffer {
  return Buffer.concat([bytes(r, 32), bytes(N - s, 32)]);
}

/** Applies one of {@link ECDSA_MUTATIONS} to a token signed with ES256. */
export function mutateEcdsa(token: string, mutate: (r: bigint, s: bigint) => Buffer): string {
  const end = token.lastIndexOf('.') + 1;
  const signature = Buffer.from(token.slice(end), 'base64url').toString('hex');
  const changed = mutate(BigInt(`0x${signature.slice(0, 64)}`), BigInt(`0x${signature.slice(64)}`));
  return token.slice(0, end) + changed.toString('base64url');
}

function bytes(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');
}
