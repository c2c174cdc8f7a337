import { createPublicKey, hash, type JsonWebKey, type KeyObject } from 'node:crypto';
import { isRocaModulus } from './roca.js';
import { SigningKey } from './signing-key.js';

/** Why a member of a key set is not used. It never costs the set its good members. */
export type KeyFault =
  | 'malformed'
  | 'private'
  | 'symmetric'
  | 'not-for-signatures'
  | 'algorithm-not-allowed'
  | 'unsupported'
  | 'weak';

type Jwk = Readonly<Record<string, unknown>>;

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'];
const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const CURVES: Readonly<Record<string, { algorithms: readonly string[]; bytes: number }>> = {
  'P-256': { algorithms: ['ES256'], bytes: 32 },
  'P-384': { algorithms: ['ES384'], bytes: 48 },
  'P-521': { algorithms: ['ES512'], bytes: 66 },
  Ed25519: { algorithms: ['Ed25519', 'EdDSA'], bytes: 32 },
};
const ML_DSA = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'];
// RFC 7518 §3.3 sets the floor; the ceiling bounds what one verification may cost.
const RSA_BITS = { min: 2048, max: 8192 };
// FIPS 186-5 §5.1: larger than 2^16.
const RSA_MIN_EXPONENT = 65_537n;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** The same for the same JWK, whatever the order of its members, and short however long it is. */
export function fingerprint(jwk: unknown): string {
  const canonical = JSON.stringify(jwk, (_, value: unknown) =>
    isJwk(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
  return hash('sha256', canonical, 'base64url');
}

/** Judges one member of a key set: a key fit to verify access tokens, or the reason why not. Pure. */
export function parseJwk(jwk: unknown, print: string, algorithms: readonly string[]): SigningKey | KeyFault {
  if (!isJwk(jwk) || typeof jwk['kty'] !== 'string') return 'malformed';
  const secret = judgeSecrets(jwk);
  if (secret) return secret;
  const { kid, issuer } = jwk;
  if (
    (kid !== undefined && typeof kid !== 'string') ||
    (issuer !== undefined && typeof issuer !== 'string')
  ) {
    return 'malformed';
  }
  const purpose = judgePurpose(jwk);
  if (purpose) return purpose;
  const algorithm = judgeAlgorithm(jwk, algorithms);
  if (!algorithm.ok) return algorithm.fault;
  const key = importKey(jwk);
  if (!key) return 'malformed';
  if (key.asymmetricKeyType === 'rsa' && isWeakRsa(jwk, key)) return 'weak';
  return new SigningKey(kid, algorithm.value, issuer, key, Object.freeze({ ...jwk }), print);
}

/** RFC 7517 §9.2: a private or symmetric key in a public set is nobody's proof of anything. */
export function judgeSecrets(jwk: Jwk): KeyFault | undefined {
  if (jwk['kty'] === 'oct' || Object.hasOwn(jwk, 'k')) return 'symmetric';
  return PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name)) ? 'private' : undefined;
}

/** RFC 7517 §4.2-4.3: `use` and `key_ops` are optional, and where given must agree on verifying signatures. */
function judgePurpose(jwk: Jwk): KeyFault | undefined {
  const { use, key_ops: operations } = jwk;
  if (use !== undefined && use !== 'sig') return 'not-for-signatures';
  if (operations === undefined) return undefined;
  if (!Array.isArray(operations) || new Set(operations).size !== operations.length) return 'malformed';
  // RFC 7517 §4.3: where a key has both, they must not contradict each other.
  if (use === 'sig' && operations.some((operation) => operation !== 'sign' && operation !== 'verify'))
    return 'malformed';
  return operations.includes('verify') ? undefined : 'not-for-signatures';
}

type Algorithm = { ok: true; value: string } | { ok: false; fault: KeyFault };

/** The one algorithm a key serves: its own `alg` where given, else what its type and the allow-list leave. */
function judgeAlgorithm(jwk: Jwk, allowed: readonly string[]): Algorithm {
  const fitting = algorithmsOf(jwk);
  if (fitting.length === 0) return { ok: false, fault: 'unsupported' };
  const { alg } = jwk;
  if (alg !== undefined && (typeof alg !== 'string' || !fitting.includes(alg)))
    return { ok: false, fault: 'unsupported' };
  const value = alg ?? defaultAlgorithm(fitting, allowed);
  // The two names of EdDSA over Ed25519 stand for each other (RFC 9864 §2.2).
  const names = jwk['crv'] === 'Ed25519' ? fitting : [value];
  return names.some((name) => allowed.includes(name))
    ? { ok: true, value }
    : { ok: false, fault: 'algorithm-not-allowed' };
}

function defaultAlgorithm(fitting: readonly string[], allowed: readonly string[]): string {
  const choices = fitting.filter((name) => allowed.includes(name));
  return choices.length === 1 ? String(choices[0]) : String(fitting[0]);
}

function algorithmsOf({ kty, crv, alg }: Jwk): readonly string[] {
  if (kty === 'RSA') return RSA_ALGORITHMS;
  // RFC 9964: an AKP key has no meaning without its alg.
  if (kty === 'AKP') return ML_DSA.filter((name) => name === alg);
  // Not String(crv): JSON has objects that throw when they are made into text.
  if (typeof crv !== 'string' || !Object.hasOwn(CURVES, crv)) return [];
  const isCurveOfType = (kty === 'EC' && crv.startsWith('P-')) || (kty === 'OKP' && crv === 'Ed25519');
  return isCurveOfType ? (CURVES[crv]?.algorithms ?? []) : [];
}

/** Only the public members reach the import: `x5c` and the rest are never a source of keys. */
function importKey({ kty, n, e, crv, x, y, alg, pub }: Jwk): KeyObject | undefined {
  const members: Jwk =
    kty === 'RSA' ? { n, e } : kty === 'EC' ? { crv, x, y } : kty === 'OKP' ? { crv, x } : { alg, pub };
  if (Object.values(members).some((member) => typeof member !== 'string')) return undefined;
  if (!haveFullLength(members)) return undefined;
  const jwk: JsonWebKey = { kty: String(kty), ...members };
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    return key.type === 'public' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 7518 §6.2.1.2: coordinates have the full length of the field, leading zeros included. */
function haveFullLength({ crv, ...values }: Jwk): boolean {
  const bytes = CURVES[String(crv)]?.bytes;
  return Object.entries(values).every(([name, value]) => {
    if (name === 'alg') return true;
    const text = String(value);
    return BASE64URL.test(text) && (bytes === undefined || Buffer.from(text, 'base64url').length === bytes);
  });
}

function isWeakRsa({ n }: Jwk, key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < RSA_BITS.min || modulusLength > RSA_BITS.max) return true;
  if (publicExponent < RSA_MIN_EXPONENT || publicExponent % 2n === 0n) return true;
  return isRocaModulus(BigInt(`0x${Buffer.from(String(n), 'base64url').toString('hex')}`));
}

function isJwk(value: unknown): value is Jwk {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
