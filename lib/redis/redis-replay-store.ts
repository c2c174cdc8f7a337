import type { Cluster, Redis } from 'ioredis';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import type { ReplayStore } from '../features/dpop-options.js';
import { SystemClock } from '../time/clock.js';

/** How to reach Redis. */
export interface RedisReplayStoreOptions {
  /** Your own ioredis client: one Redis, Sentinel or Cluster. Never closed by the store. */
  client: Redis | Cluster;
  /** Precedes every key. APIs that share a Redis need different ones. Default `'nestjs-resilient-auth:'`. */
  prefix?: string | undefined;
  /** Milliseconds for one command; then the request is answered 503. Default `500`, from 10 to 1,000. */
  timeout?: number | undefined;
}

/** Milliseconds by which the clocks of replicas may differ: as long, a proof is remembered beyond its time. */
const CLOCK_ERROR = 10_000;
/** Commands without an answer at most: while Redis is away ioredis queues each, and their requests are refused anyway. */
const MAX_OUTSTANDING = 10_000;

/**
 * Remembers the proofs that a fleet has accepted: `SET … NX PX`, one command for each. A proof is accepted by one replica
 * once. Redis must not evict keys that have not expired (`maxmemory-policy noeviction`), and forgets with a restart.
 */
export class RedisReplayStore implements ReplayStore {
  readonly #client: Redis | Cluster;
  readonly #prefix: string;
  readonly #timeout: number;
  readonly #clock = new SystemClock();
  #outstanding = 0;

  /** @throws {AuthConfigurationError} without a client, or with a timeout out of bounds */
  constructor({ client, prefix = 'nestjs-resilient-auth:', timeout = 500 }: RedisReplayStoreOptions) {
    if (typeof client?.set !== 'function')
      throw new AuthConfigurationError('RedisReplayStore needs a client: an instance of ioredis');
    if (!(timeout >= 10 && timeout <= 1000))
      throw new AuthConfigurationError('timeout of RedisReplayStore takes milliseconds, from 10 to 1000');
    this.#client = client;
    this.#prefix = prefix;
    this.#timeout = timeout;
  }

  /** Rejects when Redis fails, does not answer in time, or answers something else. */
  async add(key: string, expiresAt: number): Promise<boolean> {
    if (this.#outstanding >= MAX_OUTSTANDING) throw new Error('Too many commands wait for Redis');
    const lifetime = Math.max(1, Math.ceil(expiresAt - this.#clock.now()) + CLOCK_ERROR);
    const answer: unknown = await this.#inTime(
      this.#client.set(`${this.#prefix}proof:${key}`, '1', 'PX', lifetime, 'NX'),
    );
    if (answer === 'OK') return true;
    if (answer === null) return false;
    throw new Error('Redis answered something else than OK or nothing');
  }

  /** A command that was queued while Redis was away may run later: its proof has been refused by then. */
  #inTime<T>(command: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = new Error(`Redis did not answer within ${this.#timeout} ms`);
      const timer = this.#clock.setTimeout(() => reject(late), this.#timeout);
      this.#outstanding++;
      command.then(resolve, reject).finally(() => {
        this.#outstanding--;
        this.#clock.clearTimeout(timer);
      });
    });
  }
}
