import type { ReplayStore } from '../../../features/dpop-options.js';
import { SystemClock, type Clock } from '../../../time/clock.js';

/** Bounds of {@link MemoryReplayStore}. */
export interface MemoryReplayStoreOptions {
  /** Proofs remembered at most, of all clients together; some 200 bytes each. Default `100_000`, at least 1. */
  max?: number | undefined;
  /** Proofs remembered at most of one client key, so that none can fill the store alone. Default `1_000`, at least 1. */
  maxPerKey?: number | undefined;
  /** Default: the machine's clock. */
  clock?: Pick<Clock, 'now'> | undefined;
}

interface Entry {
  readonly key: string;
  readonly client: string | undefined;
}

/**
 * Remembers accepted proofs in this process, for an API of one replica. Nothing is forgotten before its time: a client
 * at its bound, and every client when the store is full, is answered 503 until entries expire.
 */
export class MemoryReplayStore implements ReplayStore {
  readonly #max: number;
  readonly #maxPerKey: number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #keys = new Set<string>();
  readonly #perClient = new Map<string, number>();
  /** By the second from which they may be forgotten. */
  readonly #bySecond = new Map<number, Entry[]>();
  #sweptAt = Number.NaN;

  /** @throws {RangeError} for a bound that is no whole number of at least 1 */
  constructor(options: MemoryReplayStoreOptions = {}) {
    const { max = 100_000, maxPerKey = 1_000, clock = new SystemClock() } = options;
    for (const [name, value] of Object.entries({ max, maxPerKey }))
      if (!Number.isSafeInteger(value) || value < 1)
        throw new RangeError(`${name} of MemoryReplayStore takes a whole number of at least 1`);
    this.#max = max;
    this.#maxPerKey = maxPerKey;
    this.#clock = clock;
  }

  /** Proofs remembered at present. */
  get size(): number {
    return this.#keys.size;
  }

  /** Rejects when there is no room for the proof. */
  async add(key: string, expiresAt: number, client?: string): Promise<boolean> {
    this.#sweep();
    if (this.#keys.has(key)) return false;
    if (this.#keys.size >= this.#max) throw new Error(`The replay store holds ${this.#max} proofs: max`);
    const ofClient = client === undefined ? 0 : (this.#perClient.get(client) ?? 0);
    if (ofClient >= this.#maxPerKey)
      throw new Error(`The replay store holds ${this.#maxPerKey} proofs of this client: maxPerKey`);
    this.#keys.add(key);
    if (client !== undefined) this.#perClient.set(client, ofClient + 1);
    const second = Math.ceil(expiresAt / 1000);
    const entries = this.#bySecond.get(second);
    if (entries) entries.push({ key, client });
    else this.#bySecond.set(second, [{ key, client }]);
    return true;
  }

  /** Once a second, so that it costs nothing per proof. */
  #sweep(): void {
    const now = Math.floor(this.#clock.now() / 1000);
    if (now === this.#sweptAt) return;
    this.#sweptAt = now;
    for (const [second, entries] of this.#bySecond) {
      if (second > now) continue;
      this.#bySecond.delete(second);
      for (const entry of entries) this.#forget(entry);
    }
  }

  #forget({ key, client }: Entry): void {
    this.#keys.delete(key);
    if (client === undefined) return;
    const left = (this.#perClient.get(client) ?? 0) - 1;
    if (left > 0) this.#perClient.set(client, left);
    else this.#perClient.delete(client);
  }
}
