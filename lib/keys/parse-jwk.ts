import { algorithmsFor, isSameAlgorithm } from './algorithms.js';
import { isJwk, type Jwk } from './fingerprint.js';
import { importKey } from './import-key.js';
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

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'];

/**
 * Parses one member of a key set. Pure.
 *
 * @param print fingerprint of the member
 * @param allowed algorithms of the issuer's allow-list
 * @returns a key fit to verify access tokens, or the reason why it is not
 */
export function parseJwk(jwk: unknown, print: string, allowed: readonly string[]): SigningKey | KeyFault {
  if (!isJwk(jwk) || typeof jwk['kty'] !== 'string') return 'malformed';
  const { kid, issuer } = jwk;
  const secret = findSecret(jwk);
  if (secret) return secret;
  if (!isOptionalString(kid) || !isOptionalString(issuer)) return 'malformed';
  const purpose = checkPurpose(jwk);
  if (purpose) return purpose;
  const algorithm = parseAlgorithm(jwk, allowed);
  if (typeof algorithm === 'string') return algorithm;
  const key = importKey(jwk);
  if (typeof key === 'string') return key;
  return new SigningKey(kid, algorithm.name, issuer, key, Object.freeze({ ...jwk }), print);
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

/** The one algorithm a key serves: its own `alg` where given, else what its type and the allow-list leave. */
function parseAlgorithm(
  { kty, crv, alg }: Jwk,
  allowed: readonly string[],
): { readonly name: string } | KeyFault {
  // RFC 9964 §3: an AKP key has no meaning without its alg.
  if (alg === undefined ? kty === 'AKP' : typeof alg !== 'string') return 'unsupported';
  const fitting = algorithmsFor(kty, crv).map(({ name }) => name);
  const [first] = fitting;
  if (first === undefined || (typeof alg === 'string' && !fitting.includes(alg))) return 'unsupported';
  const name =
    typeof alg === 'string' ? alg : (only(fitting.filter((one) => allowed.includes(one))) ?? first);
  return allowed.some((one) => isSameAlgorithm(one, name)) ? { name } : 'algorithm-not-allowed';
}

function only(names: readonly string[]): string | undefined {
  return names.length === 1 ? names[0] : undefined;
}

function isOptionalString(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
