import { LRUCache } from 'lru-cache';
import type { MetadataChange } from './issuer-state.js';

const CAPACITY = 1000;
const FIRST_LIFETIME = 1000;
/** Milliseconds: an attacker who can guess the next key id must not delay it for longer. */
const LONGEST_LIFETIME = 5000;

interface Miss {
  /** When the check that did not find the key started. */
  readonly checkedAt: number;
  readonly lifetime: number;
}

/**
 * The key ids that a refresh has just proven absent: another one would find nothing new. Bounded in number and in time,
 * so that neither a flood nor a key published a moment later makes it wrong. Times are monotonic.
 */
export class NegativeCache {
  /** Created on first use: most issuers never see a request for a key they do not have. */
  #misses: LRUCache<string, Miss> | undefined;
  /** Apart from the misses: a flood of unknown key ids must not make a withdrawn one unknown. */
  #withdrawn: LRUCache<string, true> | undefined;
  readonly #longest: number;

  constructor(refreshInterval: number) {
    this.#longest = Math.min(refreshInterval, LONGEST_LIFETIME);
  }

  has(kid: string, now: number): boolean {
    const miss = this.#misses?.get(kid);
    return miss !== undefined && now < miss.checkedAt + miss.lifetime;
  }

  /** Whether a refresh has withdrawn this key: then its tokens are old ones, unless the issuer rolls back. */
  isWithdrawn(kid: string): boolean {
    return this.#withdrawn?.has(kid) === true;
  }

  /** Holds for a second; after each further check without the key for twice as long. */
  add(kid: string, checkedAt: number): void {
    this.#misses ??= new LRUCache({ max: CAPACITY });
    const last = this.#misses.get(kid);
    // All requests that waited for one check report its result.
    if (last && checkedAt <= last.checkedAt) return;
    const lifetime = last ? Math.min(2 * last.lifetime, this.#longest) : FIRST_LIFETIME;
    this.#misses.set(kid, { checkedAt, lifetime });
  }

  /** A changed key set makes every miss void; the key ids it withdrew are misses of this check. */
  reset(
    { addedKeyIds, withdrawnKeyIds }: Pick<MetadataChange, 'addedKeyIds' | 'withdrawnKeyIds'>,
    checkedAt: number,
  ): void {
    this.#misses?.clear();
    for (const kid of addedKeyIds) this.#withdrawn?.delete(kid);
    for (const kid of withdrawnKeyIds) {
      this.#withdrawn ??= new LRUCache({ max: CAPACITY });
      this.#withdrawn.set(kid, true);
      this.add(kid, checkedAt);
    }
  }
}
