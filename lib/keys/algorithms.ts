import { constants } from 'node:crypto';

/** Key types of RFC 7518 §6.1, RFC 8037 §2 and RFC 9964 §3 that can verify a signature. */
type KeyType = 'RSA' | 'EC' | 'OKP' | 'AKP';

/** One signature algorithm: the key it needs, and how `node:crypto` verifies it. */
export interface SignatureAlgorithm {
  /** As in the `alg` of a token. */
  readonly name: string;
  readonly kty: KeyType;
  /** Curve of the key, for `EC` and `OKP`. */
  readonly crv: string | undefined;
  /** `null` where the algorithm hashes by itself. */
  readonly digest: string | null;
  readonly padding: number | undefined;
  /** Bytes. RFC 7518 §3.5: the salt of a PSS signature is as long as its digest. */
  readonly saltLength: number | undefined;
  /** Exact length in bytes, where the algorithm fixes it. */
  readonly signatureLength: number | undefined;
  /** What one verification takes, estimated in microseconds on a server of 2024; for RSA with 2,048 bits. */
  readonly cost: number;
  /** Whether an issuer without the option `algorithms` accepts it. */
  readonly isDefault: boolean;
}

type Row = Pick<SignatureAlgorithm, 'name' | 'kty' | 'digest' | 'cost'> & Partial<SignatureAlgorithm>;

const { RSA_PKCS1_PADDING: PKCS1, RSA_PKCS1_PSS_PADDING: PSS } = constants;

/**
 * Every algorithm this library knows: to support another, add a row. RFC 7518 §3.3-3.5 (RSA, ECDSA; a signature of ECDSA
 * is two numbers as long as a coordinate), RFC 8032 §5.1.6 and RFC 9864 §2.2 (Ed25519 under its two names), RFC 9964.
 */
const ROWS: readonly Row[] = [
  { name: 'RS256', kty: 'RSA', digest: 'sha256', padding: PKCS1, cost: 20 },
  { name: 'RS384', kty: 'RSA', digest: 'sha384', padding: PKCS1, cost: 20 },
  { name: 'RS512', kty: 'RSA', digest: 'sha512', padding: PKCS1, cost: 20 },
  { name: 'PS256', kty: 'RSA', digest: 'sha256', padding: PSS, saltLength: 32, cost: 20 },
  { name: 'PS384', kty: 'RSA', digest: 'sha384', padding: PSS, saltLength: 48, cost: 20 },
  { name: 'PS512', kty: 'RSA', digest: 'sha512', padding: PSS, saltLength: 64, cost: 20 },
  { name: 'ES256', kty: 'EC', crv: 'P-256', digest: 'sha256', signatureLength: 64, cost: 75 },
  { name: 'ES384', kty: 'EC', crv: 'P-384', digest: 'sha384', signatureLength: 96, cost: 550 },
  { name: 'ES512', kty: 'EC', crv: 'P-521', digest: 'sha512', signatureLength: 132, cost: 1100 },
  { name: 'Ed25519', kty: 'OKP', crv: 'Ed25519', digest: null, signatureLength: 64, cost: 70 },
  { name: 'EdDSA', kty: 'OKP', crv: 'Ed25519', digest: null, signatureLength: 64, cost: 70 },
  { name: 'ML-DSA-44', kty: 'AKP', digest: null, signatureLength: 2420, isDefault: false, cost: 100 },
  { name: 'ML-DSA-65', kty: 'AKP', digest: null, signatureLength: 3309, isDefault: false, cost: 150 },
  { name: 'ML-DSA-87', kty: 'AKP', digest: null, signatureLength: 4627, isDefault: false, cost: 250 },
];

/** The table, in the order in which messages list the names. */
export const ALGORITHMS: readonly SignatureAlgorithm[] = ROWS.map((row) =>
  Object.freeze({
    crv: undefined,
    padding: undefined,
    saltLength: undefined,
    signatureLength: undefined,
    isDefault: true,
    ...row,
  }),
);

const byName = new Map(ALGORITHMS.map((algorithm) => [algorithm.name, algorithm]));

/** Finds an algorithm by the name in `alg`, case-sensitively (RFC 7515 §4.1.1). */
export function findAlgorithm(name: string): SignatureAlgorithm | undefined {
  return byName.get(name);
}

/** The algorithms a key of this type and curve can serve; none for an unknown type or curve. */
export function algorithmsFor(kty: unknown, crv: unknown): readonly SignatureAlgorithm[] {
  return ALGORITHMS.filter(
    (algorithm) => algorithm.kty === kty && (algorithm.crv === undefined || algorithm.crv === crv),
  );
}

/** Bytes of one coordinate on the curve (RFC 7518 §6.2.1.2, RFC 8037 §2): half of a signature. */
export function coordinateLength({ crv, signatureLength }: SignatureAlgorithm): number | undefined {
  return crv === undefined || signatureLength === undefined ? undefined : signatureLength / 2;
}

/** Whether two names denote one algorithm: equal, or the two of Ed25519 (RFC 9864 §2.2). */
export function isSameAlgorithm(one: string, other: string): boolean {
  if (one === other) return true;
  const { kty, crv } = findAlgorithm(one) ?? {};
  return kty === 'OKP' && findAlgorithm(other)?.crv === crv;
}

/** The names that an option `algorithms` stands for when it is not given. */
export const DEFAULT_ALGORITHMS: readonly string[] = ALGORITHMS.filter(({ isDefault }) => isDefault).map(
  ({ name }) => name,
);

/** What the keys of one issuer may be used for. */
export interface AlgorithmPolicy {
  /** The allow-list of the issuer. */
  readonly allowed: ReadonlySet<string>;
  /** What an RSA key without `alg` serves. */
  readonly unnamedRsa: readonly string[];
}

/**
 * The allow-list of an issuer. An RSA key without `alg` serves RS256 (RFC 8725 §3.1: one algorithm per key), unless the
 * user names RSA algorithms: then those.
 *
 * @param given the option `algorithms`; `undefined` stands for the default algorithms of the table
 */
export function algorithmPolicy(given: readonly string[] | undefined): AlgorithmPolicy {
  const unnamedRsa = given ? given.filter((name) => findAlgorithm(name)?.kty === 'RSA') : ['RS256'];
  return Object.freeze({
    allowed: new Set(given ?? DEFAULT_ALGORITHMS),
    unnamedRsa: Object.freeze(unnamedRsa),
  });
}
