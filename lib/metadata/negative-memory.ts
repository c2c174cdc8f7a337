import { LRUCache } from 'lru-cache';

const CAPACITY = 1000;

/**
 * The key ids a refresh has just looked for in vain: asking again at once would tell nothing new. Bounded in number and
 * in time, so that neither a flood nor a key published a moment later can make it lie.
 */
export class NegativeMemory {
  readonly #absent = new LRUCache<string, number>({ max: CAPACITY });
  #withdrawn: ReadonlySet<string> = new Set();

  constructor(private readonly lifetime: number) {}

  holds(kid: string, now: number): boolean {
    return this.#withdrawn.has(kid) || now < (this.#absent.get(kid) ?? Number.NEGATIVE_INFINITY);
  }

  add(kid: string, now: number): void {
    this.#absent.set(kid, now + this.lifetime);
  }

  /** A changed key set makes every finding void; the ids it withdrew stay absent until it changes again. */
  reset(withdrawn: Iterable<string>): void {
    this.#absent.clear();
    this.#withdrawn = new Set(withdrawn);
  }
}
