import { LRUCache } from 'lru-cache';

const CAPACITY = 1000;

/**
 * The key ids a refresh has just looked for in vain: asking again at once would tell nothing new. Bounded in number and
 * in time, so that neither a flood nor a key published a moment later can make it lie.
 */
export class NegativeMemory {
  /** Made when it is needed: most issuers are never asked for a key they do not have. */
  #absent: LRUCache<string, number> | undefined;
  #withdrawn: ReadonlySet<string> = new Set();

  constructor(private readonly lifetime: number) {}

  holds(kid: string, now: number): boolean {
    return this.#withdrawn.has(kid) || now < (this.#absent?.get(kid) ?? Number.NEGATIVE_INFINITY);
  }

  add(kid: string, now: number): void {
    this.#absent ??= new LRUCache({ max: CAPACITY });
    this.#absent.set(kid, now + this.lifetime);
  }

  /** A changed key set makes every finding void; the ids it withdrew stay absent until it changes again. */
  reset(withdrawn: Iterable<string>): void {
    this.#absent?.clear();
    this.#withdrawn = new Set(withdrawn);
  }
}
