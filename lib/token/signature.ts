import { verify, type KeyObject } from 'node:crypto';
import { findAlgorithm } from '../keys/algorithms.js';

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
  const algorithm = findAlgorithm(alg);
  if (!algorithm) return false;
  const { digest, padding, saltLength, signatureLength } = algorithm;
  if (signatureLength !== undefined && signature.length !== signatureLength) return false;
  return verify(digest, signed, { key, padding, saltLength, dsaEncoding: 'ieee-p1363' }, signature);
}
