import { constants, verify, type KeyObject } from 'node:crypto';

/** How an algorithm of RFC 7518, RFC 8037 and RFC 9964 is spelled for OpenSSL. */
interface Recipe {
  readonly digest: string | null;
  readonly options: {
    readonly padding?: number;
    readonly saltLength?: number;
    readonly dsaEncoding?: 'ieee-p1363';
  };
  /** Exact length of the signature in bytes, where the algorithm fixes it (RFC 7518 §3.4, RFC 8032 §5.1.6). */
  readonly length?: number;
}

const pkcs1 = (digest: string): Recipe => ({ digest, options: { padding: constants.RSA_PKCS1_PADDING } });
const pss = (digest: string, saltLength: number): Recipe => ({
  digest,
  // RFC 7518 §3.5: the salt is as long as the digest, and MGF1 uses the same one.
  options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength },
});
const ecdsa = (digest: string, length: number): Recipe => ({
  digest,
  options: { dsaEncoding: 'ieee-p1363' },
  length,
});
const ed25519: Recipe = { digest: null, options: {}, length: 64 };
const mlDsa = (length: number): Recipe => ({ digest: null, options: {}, length });

const RECIPES = new Map<string, Recipe>([
  ['RS256', pkcs1('sha256')],
  ['RS384', pkcs1('sha384')],
  ['RS512', pkcs1('sha512')],
  ['PS256', pss('sha256', 32)],
  ['PS384', pss('sha384', 48)],
  ['PS512', pss('sha512', 64)],
  ['ES256', ecdsa('sha256', 64)],
  ['ES384', ecdsa('sha384', 96)],
  ['ES512', ecdsa('sha512', 132)],
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
  ['ML-DSA-44', mlDsa(2420)],
  ['ML-DSA-65', mlDsa(3309)],
  ['ML-DSA-87', mlDsa(4627)],
]);

/**
 * Whether a signature verifies. The key has been chosen for the algorithm before; nothing here decides which algorithm
 * a key serves.
 */
export function signatureVerifies(
  alg: string,
  key: KeyObject,
  signed: Uint8Array,
  signature: Uint8Array,
): boolean {
  const recipe = RECIPES.get(alg);
  if (!recipe || (recipe.length !== undefined && signature.length !== recipe.length)) return false;
  return verify(recipe.digest, signed, { key, ...recipe.options }, signature);
}
