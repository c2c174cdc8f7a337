import type { Clock } from '../../../lib/time/clock.js';
import type { ResolvedMetadataOptions } from '../../../lib/metadata/metadata-options.js';
import { IssuerMetadataProvider } from '../../../lib/metadata/issuer-metadata.provider.js';
import type { Random } from './random.js';
import { SimulatedConnection } from './connection.js';
import type { SimulatedRedis } from './redis.js';

/** Receives what happens to the replicas of a fleet. */
export interface Counter {
  refreshed(replica: SimulatedReplica): void;
  learned(kid: string): void;
}

/** One process of the fleet: the library's own provider, called as the authenticator calls it. */
export class SimulatedReplica {
  readonly #connection: SimulatedConnection;
  readonly #provider: IssuerMetadataProvider;
  isAlive = true;

  constructor(
    options: ResolvedMetadataOptions,
    redis: SimulatedRedis,
    clock: Clock,
    random: Random,
    counter: Counter,
  ) {
    this.#connection = new SimulatedConnection(redis);
    this.#provider = new IssuerMetadataProvider({ ...options, store: this.#connection }, clock, random);
    this.#provider.events$.subscribe((event) => {
      if (event.type === 'refresh-started') counter.refreshed(this);
      if (event.type !== 'metadata-changed') return;
      for (const kid of event.addedKeyIds) counter.learned(kid);
    });
  }

  start(): Promise<void> {
    return this.#provider.start();
  }

  close(): void {
    this.isAlive = false;
    this.#provider.close();
  }

  /** Ends at once, like a killed process: no lease is given back. */
  kill(): void {
    this.#connection.cut();
    this.close();
  }

  /** Whether a request with a key that all replicas know is accepted without waiting. */
  serves(kid: string): boolean {
    return Boolean(this.#provider.snapshot()?.keysWithId(kid).length);
  }

  /** A request with a valid token of this key. @returns whether it is accepted */
  async authenticate(kid: string): Promise<boolean> {
    const start = this.#provider.requestStart();
    try {
      const metadata = this.#provider.snapshot() ?? (await this.#provider.current(start));
      if (metadata.keysWithId(kid).length > 0) return true;
      const reason = 'key-not-found';
      const fresh = await this.#provider.requestRefresh({ stale: metadata, kid, reason, start });
      return fresh.keysWithId(kid).length > 0;
    } catch {
      return false;
    }
  }
}
