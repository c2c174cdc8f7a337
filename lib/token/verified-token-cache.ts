import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { IssuerMetadata } from '../keys/issuer-metadata.js';
import { lifetimeOf } from './parse/lifetime.js';
import type { VerifiedToken } from './verified-token.js';

/** How much is remembered: whichever bound is met first. */
export interface TokenCacheLimits {
  readonly max: number;
  readonly maxBytes: number;
}

/** The verified-token cache at one moment. */
export interface TokenCacheStatus {
  /** Tokens remembered. */
  readonly size: number;
  /** Memory they take, estimated from the length of the tokens and how many values they hold. */
  readonly bytes: number;
  /** Look-ups since the start that found a token that is still good … */
  readonly hits: number;
  /** … and those that did not. */
  readonly misses: number;
}

/** What is remembered of a token, and all that a hit has to look at. */
interface Entry<T> {
  readonly verified: T;
  /** The last snapshot its key was seen in. */
  metadata: IssuerMetadata | undefined;
  /** Seconds since the epoch. */
  readonly from: number;
  readonly until: number;
}

/** Beside its claims: objects, list links, the digest. What the claims take follows from their text and their values. */
const ENTRY_BYTES = 512;
/** An object without members, the largest thing for its length, and its place in a list. */
const VALUE_BYTES = 64;

/**
 * Remembers tokens whose signature was verified. What it remembers is the arithmetic, not the verdict: a hit needs the
 * very key object in the current snapshot, and everything that time or configuration can change is checked again.
 */
export class VerifiedTokenCache<T extends VerifiedToken> {
  readonly #entries: LRUCache<string, Entry<T>>;
  #hits = 0;
  #misses = 0;

  constructor({ max, maxBytes }: TokenCacheLimits) {
    this.#entries = new LRUCache({ max, maxSize: maxBytes });
  }

  /**
   * @param id of the token, from {@link identify}
   * @param now wall-clock time in milliseconds
   */
  get(id: string, now: number): T | undefined {
    const entry = this.#entries.get(id);
    if (!entry || !isGood(entry, now / 1000)) {
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    return entry.verified;
  }

  /** @param length of the token, in characters */
  set(id: string, verified: T, length: number): void {
    const { notBefore, issuedFrom, expires, outdated } = lifetimeOf(verified.claims, verified.issuer);
    const entry: Entry<T> = {
      verified,
      metadata: undefined,
      from: Math.max(notBefore, issuedFrom),
      until: Math.min(expires, outdated),
    };
    this.#entries.set(id, entry, {
      size: ENTRY_BYTES + length + verified.values * VALUE_BYTES,
    });
  }

  status(): TokenCacheStatus {
    const { size, calculatedSize: bytes } = this.#entries;
    return { size, bytes, hits: this.#hits, misses: this.#misses };
  }
}

function isGood(entry: Entry<VerifiedToken>, seconds: number): boolean {
  const { key, source, issuer, tenantId } = entry.verified;
  const metadata = source.snapshot();
  if (!metadata) return false;
  if (metadata !== entry.metadata) {
    if (!metadata.has(key)) return false;
    // Identity is the version: while the snapshot is the same object, its keys need no second look.
    entry.metadata = metadata;
  }
  if (seconds < entry.from || seconds >= entry.until) return false;
  return tenantId === undefined || issuer.admitsTenant(tenantId);
}

/** What a token is remembered by: the whole of it, signature included, as a hash: a heap dump holds no credentials. */
export function identify(token: string): string {
  return hash('sha256', token, 'binary');
}
