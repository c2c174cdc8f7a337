import { verify, type KeyObject } from 'node:crypto';
import { findAlgorithm, type SignatureAlgorithm } from '../keys/algorithms.js';

/**
 * Checks a signature on the event loop. The key has been chosen for the algorithm before; nothing here decides which
 * algorithm a key serves.
 */
export function signatureVerifies(
  alg: string,
  key: KeyObject,
  signed: Uint8Array,
  signature: Uint8Array,
): boolean {
  const algorithm = algorithmFor(alg, signature);
  return algorithm !== undefined && verify(algorithm.digest, signed, inputOf(key, algorithm), signature);
}

/** Checks a signature in the thread pool. */
export function signatureVerifiesInPool(
  alg: string,
  key: KeyObject,
  signed: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const algorithm = algorithmFor(alg, signature);
  if (!algorithm) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    verify(algorithm.digest, signed, inputOf(key, algorithm), signature, (error, isGood) =>
      error ? reject(error) : resolve(isGood),
    );
  });
}

/** Estimates what a check takes, in microseconds; with RSA it grows with the square of the length of the key. */
export function estimateCost(alg: string, key: KeyObject): number {
  const cost = findAlgorithm(alg)?.cost ?? 0;
  const { modulusLength } = key.asymmetricKeyDetails ?? {};
  return modulusLength === undefined ? cost : cost * (modulusLength / 2048) ** 2;
}

/** `undefined` when no key can make the signature a good one. */
function algorithmFor(alg: string, signature: Uint8Array): SignatureAlgorithm | undefined {
  const algorithm = findAlgorithm(alg);
  const length = algorithm?.signatureLength;
  return length === undefined || length === signature.length ? algorithm : undefined;
}

function inputOf(key: KeyObject, { padding, saltLength }: SignatureAlgorithm) {
  return { key, padding, saltLength, dsaEncoding: 'ieee-p1363' } as const;
}
