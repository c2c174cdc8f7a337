import { LRUCache } from 'lru-cache';

const CAPACITY = 1000;

/**
 * The key ids that a refresh has just proven absent: another one would find nothing new. Bounded in number and in time,
 * so that neither a flood nor a key published a moment later makes it wrong.
 */
export class NegativeCache {
  /** Created on first use: most issuers never see a request for a key they do not have. */
  #missing: LRUCache<string, number> | undefined;
  #withdrawn: ReadonlySet<string> = new Set();

  constructor(private readonly lifetime: number) {}

  has(kid: string, now: number): boolean {
    return this.#withdrawn.has(kid) || now < (this.#missing?.get(kid) ?? Number.NEGATIVE_INFINITY);
  }

  add(kid: string, now: number): void {
    this.#missing ??= new LRUCache({ max: CAPACITY });
    this.#missing.set(kid, now + this.lifetime);
  }

  /** A changed key set makes every entry void; the ids it withdrew stay absent until it changes again. */
  reset(withdrawn: Iterable<string>): void {
    this.#missing?.clear();
    this.#withdrawn = new Set(withdrawn);
  }
}
