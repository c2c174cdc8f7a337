import type { KeyObject } from 'node:crypto';
import { isSameAlgorithm } from './algorithms.js';

/** A public key of the issuer, imported once. Two snapshots share the object as long as its JWK stays the same. */
export class SigningKey {
  #pem: string | undefined;

  constructor(
    readonly kid: string | undefined,
    /** The one algorithm this key serves (RFC 8725 §3.1). */
    readonly algorithm: string,
    /** Entra ID's own member: the issuer whose tokens this key may sign. */
    readonly issuer: string | undefined,
    readonly publicKey: KeyObject,
    /** The JWK as published; never holds a private member. */
    readonly jwk: Readonly<Record<string, unknown>>,
    /** Digest of the JWK, all members of it: equal for equal keys. */
    readonly fingerprint: string,
  ) {}

  /** Whether a token with this header `alg` may be checked with this key. */
  verifies(alg: string): boolean {
    return isSameAlgorithm(alg, this.algorithm);
  }

  /** SubjectPublicKeyInfo in PEM, for libraries that ask for it. */
  toPem(): string {
    this.#pem ??= this.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    return this.#pem;
  }
}
