import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { IssuerMetadata } from '../metadata/issuer-metadata.js';
import { isWithinLifetime } from './claims.js';
import type { TrustedIssuer } from './trusted-issuer.js';
import type { VerifiedToken } from './verified-token.js';

/**
 * Remembers tokens whose signature was verified. What it remembers is the arithmetic, not the verdict: a hit needs the
 * very key object in the current snapshot, and everything that time or configuration can change is checked again.
 */
export class VerifiedTokenCache {
  readonly #tokens: LRUCache<string, VerifiedToken>;
  readonly #snapshotOf: (issuer: TrustedIssuer) => IssuerMetadata | undefined;

  /** @param snapshotOf the usable snapshot of an issuer, if there is one */
  constructor(max: number, snapshotOf: (issuer: TrustedIssuer) => IssuerMetadata | undefined) {
    this.#tokens = new LRUCache({ max });
    this.#snapshotOf = snapshotOf;
  }

  /**
   * @param id of the token, from {@link identify}
   * @param now wall-clock time in milliseconds
   */
  get(id: string, now: number): VerifiedToken | undefined {
    const verified = this.#tokens.get(id);
    if (!verified) return undefined;
    const { issuer, key, claims, tenantId } = verified;
    if (!this.#snapshotOf(issuer)?.has(key)) return undefined;
    const isAdmitted = tenantId === undefined || issuer.admitsTenant(tenantId);
    return isAdmitted && isWithinLifetime(claims, issuer, now) ? verified : undefined;
  }

  set(id: string, verified: VerifiedToken): void {
    this.#tokens.set(id, verified);
  }
}

/** What a token is remembered by: the whole of it, signature included, as a hash: a heap dump holds no credentials. */
export function identify(token: string): string {
  return hash('sha256', token, 'base64');
}
