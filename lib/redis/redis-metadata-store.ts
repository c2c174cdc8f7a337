import { randomUUID } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { MetadataStoreError } from '../errors/store.error.js';
import { SystemClock } from '../time/clock.js';
import type {
  FailureNotice,
  LeaseRequest,
  LeasingMetadataStore,
  MetadataLease,
  SaveOptions,
  StoredMetadata,
  StoreListener,
  WatchableMetadataStore,
} from '../metadata/store/metadata-store.js';
import { integrityKeys, type IntegrityKey } from './integrity-keys.js';
import { keysOf } from './redis-keys.js';
import { Seal } from './signed-envelope.js';
import { ACQUIRE, LOAD, RELEASE, SAVE } from './scripts.js';
import { Subscriber } from './subscriber.js';

/** How to reach Redis, and how to trust it. */
export interface RedisMetadataStoreOptions {
  /** Your own ioredis client: one Redis, Sentinel or Cluster. Never closed by the store, which listens on a duplicate. */
  client: Redis | Cluster;
  /**
   * Put before every key and channel; no braces, which Cluster reads as a hash tag. Fleets that share a Redis need
   * different ones: channels know neither databases nor the client's `keyPrefix`. Default `'nestjs-resilient-auth:'`.
   */
  prefix?: string | undefined;
  /**
   * Secret of the fleet: 32 random bytes are recommended, fewer than 16 are refused. HMAC-SHA-256 seals every snapshot,
   * so that whoever can write to Redis cannot add a key. A list rotates it: the first one seals, all of them are
   * accepted. `null` switches the seal off on purpose.
   */
  integrityKey: IntegrityKey;
}

/** Milliseconds: a command that Redis gets to later, queued while it was away, is void. */
const PATIENCE = 1000;
/** Milliseconds: an older failure says nothing about the issuer, whoever repeats it. */
const FAILURE_LIFETIME = 60_000;

/** Makes one client of the issuer out of a fleet: shares each check of its metadata through Redis. */
export class RedisMetadataStore implements LeasingMetadataStore, WatchableMetadataStore {
  readonly #client: Redis | Cluster;
  readonly #prefix: string;
  readonly #seal: Seal;
  readonly #subscriber: Subscriber;
  readonly #clock = new SystemClock();
  readonly #grantedAt = new WeakMap<MetadataLease, number>();
  /** What Redis' clock is ahead of ours. */
  #offset: number | undefined;

  /** @throws {AuthConfigurationError} without a client, without a word about integrity, or with a secret that is too short */
  constructor({ client, prefix = 'nestjs-resilient-auth:', integrityKey }: RedisMetadataStoreOptions) {
    if (typeof client?.eval !== 'function')
      throw new AuthConfigurationError('RedisMetadataStore needs a client: an instance of ioredis');
    this.#client = client;
    this.#prefix = prefix;
    this.#seal = new Seal(integrityKeys(integrityKey));
    this.#subscriber = new Subscriber(client);
  }

  async load(issuer: string): Promise<StoredMetadata | undefined> {
    const { snapshot } = keysOf(this.#prefix, issuer);
    const [sealed, now] = tuple(await this.#run(LOAD, [snapshot]));
    this.#observe(now);
    return typeof sealed === 'string' ? this.#open(issuer, sealed, Number(now)) : undefined;
  }

  async save(metadata: StoredMetadata, { expiresIn, lease }: SaveOptions): Promise<void> {
    const { issuer } = metadata;
    const mine = lease ?? (await this.acquireLease(issuer, { duration: PATIENCE, seen: 0 }));
    if (!mine.isMine) return;
    const { snapshot, lease: leaseKey, fence, channel } = keysOf(this.#prefix, issuer);
    // By Redis' clock, and from before the issuer was asked: no replica's clock says how old the snapshot is.
    const checkedAt = this.#grantedAt.get(mine) ?? 0;
    const sealed = this.#seal.close('snapshot', { ...metadata, fence: mine.fence, checkedAt });
    const keys = [snapshot, leaseKey, fence];
    await this.#run(SAVE, keys, mine.token, mine.fence, sealed, Math.ceil(expiresIn), channel);
  }

  async acquireLease(issuer: string, request: LeaseRequest): Promise<MetadataLease> {
    const { lease: leaseKey, fence: fenceKey, budget } = keysOf(this.#prefix, issuer);
    const token = randomUUID();
    const { burst = 0, interval = 0 } = request.budget ?? {};
    // Without Redis' clock there is no telling which command is late.
    if (this.#offset === undefined) await this.#meet(issuer);
    const notAfter = Math.ceil(this.#now() + PATIENCE);
    const limits = [Math.ceil(request.duration), request.seen, burst, interval, notAfter];
    const reply = tuple(await this.#run(ACQUIRE, [leaseKey, fenceKey, budget], token, ...limits)).map(Number);
    const [now, verdict, fence, retryAfter] = reply;
    if (
      now === undefined ||
      fence === undefined ||
      retryAfter === undefined ||
      !reply.every(Number.isSafeInteger)
    )
      throw new MetadataStoreError('unavailable', 'Redis answered something else than a lease');
    this.#observe(now);
    const isMine = verdict === 1;
    const lease: MetadataLease = { issuer, isMine, fence, retryAfter, isSpent: verdict === -1, token };
    this.#grantedAt.set(lease, now);
    return lease;
  }

  async releaseLease({ issuer, token, fence }: MetadataLease, failure?: FailureNotice): Promise<void> {
    const { lease, channel } = keysOf(this.#prefix, issuer);
    const notice = failure && this.#seal.close('failure', { ...failure, issuer, fence, at: this.#now() });
    await this.#run(RELEASE, [lease], token, channel, notice ? `!${notice}` : '');
  }

  watch(issuer: string, listener: StoreListener): () => void {
    return this.#subscriber.subscribe(keysOf(this.#prefix, issuer).channel, {
      catchUp: async () => {
        try {
          const stored = await this.load(issuer);
          if (stored) listener.received(stored);
        } catch (error) {
          // What is in store is not to be used; the watch is.
          if (!isRefusal(error)) throw error;
          listener.troubled(error);
        }
      },
      listening: () => listener.listening(),
      message: (text) => {
        // Before Redis' clock is known, nothing has an age; what is in store is read as soon as it is.
        if (this.#offset === undefined) return;
        if (text.startsWith('!')) this.#tellFailure(issuer, text.slice(1), listener);
        else listener.received(this.#open(issuer, text, this.#now()));
      },
      troubled: (error) => listener.troubled(error),
    });
  }

  #tellFailure(issuer: string, sealed: string, listener: StoreListener): void {
    const { issuer: named, fence, retryAfter, at } = this.#seal.open('failure', sealed);
    if (named !== issuer || typeof fence !== 'number' || typeof retryAfter !== 'number') return;
    if (Math.abs(this.#now() - Number(at)) < FAILURE_LIFETIME) listener.failed({ fence, retryAfter });
  }

  #open(issuer: string, sealed: string, now: number): StoredMetadata {
    const {
      issuer: named,
      jwksUri,
      keys,
      checkedAt,
      fence,
      isConfirmed,
    } = this.#seal.open('snapshot', sealed);
    if (named !== issuer)
      throw new MetadataStoreError('wrong-issuer', 'The snapshot in Redis is of another issuer');
    if (
      typeof jwksUri !== 'string' ||
      !Array.isArray(keys) ||
      typeof checkedAt !== 'number' ||
      typeof fence !== 'number'
    )
      throw new MetadataStoreError('malformed', 'What is in Redis is not what was saved');
    const age = now - checkedAt;
    return { issuer, jwksUri, keys, checkedAt, age, fence, isConfirmed: isConfirmed === true };
  }

  /** Learns Redis' clock; nobody waits any more for what was asked of a Redis that was away. */
  async #meet(issuer: string): Promise<void> {
    const askedAt = this.#clock.monotonic();
    this.#observe(tuple(await this.#run(LOAD, [keysOf(this.#prefix, issuer).snapshot]))[1]);
    if (this.#clock.monotonic() - askedAt > PATIENCE)
      throw new MetadataStoreError('timeout', 'Redis answered too late');
  }

  /** Redis' clock, as of its last answer. */
  #now(): number {
    return this.#clock.monotonic() + (this.#offset ?? 0);
  }

  #observe(now: unknown): void {
    const offset = Number(now) - this.#clock.monotonic();
    if (!Number.isFinite(offset)) throw new MetadataStoreError('unavailable', 'Redis does not tell the time');
    this.#offset = offset;
  }

  #run(script: string, keys: readonly string[], ...values: readonly (string | number)[]): Promise<unknown> {
    return this.#client.eval(script, keys.length, ...keys, ...values);
  }
}

function isRefusal(error: unknown): error is MetadataStoreError {
  return error instanceof MetadataStoreError && error.fault !== 'unavailable';
}

function tuple(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}
