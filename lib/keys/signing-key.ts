import type { KeyObject } from 'node:crypto';
import { isSameAlgorithm } from './algorithms.js';

/** What a signing key is made of. */
interface SigningKeyParts {
  readonly kid: string | undefined;
  readonly algorithms: readonly [string, ...string[]];
  readonly issuer: string | undefined;
  readonly publicKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly fingerprint: string;
}

/** A public key of the issuer, imported once. Two snapshots share the object as long as its JWK stays the same. */
export class SigningKey {
  readonly kid: string | undefined;
  /** The `alg` of the JWK, alone; without one, what the key serves instead (RS256, or what `algorithms` names). */
  readonly algorithms: readonly [string, ...string[]];
  /** Entra ID's own member: the issuer whose tokens this key may sign. */
  readonly issuer: string | undefined;
  readonly publicKey: KeyObject;
  /** The JWK as published; never holds a private member. */
  readonly jwk: Readonly<Record<string, unknown>>;
  /** Digest of the JWK, all members of it: equal for equal keys. */
  readonly fingerprint: string;
  #pem: string | undefined;

  constructor({ kid, algorithms, issuer, publicKey, jwk, fingerprint }: SigningKeyParts) {
    this.kid = kid;
    this.algorithms = algorithms;
    this.issuer = issuer;
    this.publicKey = publicKey;
    this.jwk = jwk;
    this.fingerprint = fingerprint;
  }

  /** The algorithm this key serves (RFC 8725 §3.1); the first one where the user allows several. */
  get algorithm(): string {
    return this.algorithms[0];
  }

  /** Whether a token with this header `alg` may be checked with this key. */
  verifies(alg: string): boolean {
    return this.algorithms.some((algorithm) => isSameAlgorithm(alg, algorithm));
  }

  /** SubjectPublicKeyInfo in PEM, for libraries that ask for it. */
  toPem(): string {
    this.#pem ??= this.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    return this.#pem;
  }
}
