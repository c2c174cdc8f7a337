import type { KeyFault } from '../errors/metadata.errors.js';
import { algorithmsFor, isSameAlgorithm, type AlgorithmPolicy } from './algorithms.js';
import type { Jwk } from './fingerprint.js';
import { importKey } from './import-key.js';
import { normalizeJwk } from './normalize-jwk.js';
import { SigningKey } from './signing-key.js';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'];

/**
 * Parses one member of a key set. Pure.
 *
 * @param print fingerprint of the member
 * @returns a key fit to verify access tokens, or the reason why it is not
 */
export function parseJwk(published: Jwk, print: string, policy: AlgorithmPolicy): SigningKey | KeyFault {
  const { jwk } = normalizeJwk(published);
  const { kty, kid, issuer } = jwk;
  if (typeof kty !== 'string') return 'malformed';
  const secret = findSecret(jwk);
  if (secret) return secret;
  if (!isOptionalString(kid) || !isOptionalString(issuer)) return 'malformed';
  const purpose = checkPurpose(jwk);
  if (purpose) return purpose;
  const algorithms = parseAlgorithms(jwk, policy);
  if (typeof algorithms === 'string') return algorithms;
  const publicKey = importKey(jwk);
  if (typeof publicKey === 'string') return publicKey;
  const copy = Object.freeze({ ...published });
  return new SigningKey({ kid, algorithms, issuer, publicKey, jwk: copy, fingerprint: print });
}

/** RFC 7517 §9.2: a private or symmetric key in a public set proves nothing. */
export function findSecret(jwk: Jwk): 'private' | 'symmetric' | undefined {
  if (jwk['kty'] === 'oct' || Object.hasOwn(jwk, 'k')) return 'symmetric';
  return PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name)) ? 'private' : undefined;
}

/** RFC 7517 §4.2-4.3: `use` and `key_ops` are optional, and where given must agree on verifying signatures. */
function checkPurpose({ use, key_ops: operations }: Jwk): KeyFault | undefined {
  if (use !== undefined && use !== 'sig') return 'not-for-signatures';
  if (operations === undefined) return undefined;
  if (!Array.isArray(operations) || new Set(operations).size !== operations.length) return 'malformed';
  // RFC 7517 §4.3: where a key has both, they must not contradict each other.
  if (use === 'sig' && operations.some((operation) => operation !== 'sign' && operation !== 'verify'))
    return 'malformed';
  return operations.includes('verify') ? undefined : 'not-for-signatures';
}

/** What a key serves: its own `alg` where given, else what its type and the issuer's policy say. */
function parseAlgorithms(
  { kty, crv, alg }: Jwk,
  { allowed, unnamedRsa }: AlgorithmPolicy,
): readonly [string, ...string[]] | KeyFault {
  const [fitting, ...others] = algorithmsFor(kty, crv).map(({ name }) => name);
  if (fitting === undefined) return 'unsupported';
  if (alg !== undefined) {
    if (typeof alg !== 'string' || ![fitting, ...others].includes(alg)) return 'unsupported';
    return isAllowed(alg, allowed) ? [alg] : 'algorithm-not-allowed';
  }
  // RFC 9964 §3: an AKP key has no meaning without its alg.
  if (kty === 'AKP') return 'unsupported';
  const [first, ...rest] = (kty === 'RSA' ? unnamedRsa : [fitting]).filter((name) =>
    isAllowed(name, allowed),
  );
  return first === undefined ? 'algorithm-not-allowed' : [first, ...rest];
}

function isAllowed(name: string, allowed: ReadonlySet<string>): boolean {
  return allowed.has(name) || [...allowed].some((one) => isSameAlgorithm(one, name));
}

function isOptionalString(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
