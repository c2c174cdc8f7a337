import { randomUUID } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { MetadataStoreError } from '../errors/metadata.errors.js';
import { SystemClock } from '../time/clock.js';
import type {
  FailureNotice,
  LeaseRequest,
  LeasingMetadataStore,
  GrantedLease,
  MetadataLease,
  SaveOptions,
  StoredMetadata,
  StoreListener,
  WatchableMetadataStore,
} from '../metadata/store/metadata-store.js';
import { integrityKeys, type IntegrityKey } from './integrity-keys.js';
import { keysOf } from './redis-keys.js';
import { SignedEnvelope } from './signed-envelope.js';
import { ACQUIRE, LOAD, RELEASE, SAVE } from './scripts.js';
import { Subscriber } from './subscriber.js';

/** How to reach Redis, and how to authenticate what it holds. */
export interface RedisMetadataStoreOptions {
  /** Your own ioredis client: one Redis, Sentinel or Cluster. Never closed by the store, which subscribes on a duplicate. */
  client: Redis | Cluster;
  /**
   * Precedes every key and channel; no braces, which Cluster reads as a hash tag. Fleets that share a Redis need
   * different ones: channels are not separated by database or by the client's `keyPrefix`. Default `'nestjs-resilient-auth:'`.
   */
  prefix?: string | undefined;
  /**
   * Secret of the fleet: 32 random bytes are recommended, fewer than 16 are refused. HMAC-SHA-256 signs every snapshot,
   * so that an attacker who can write to Redis cannot add a key. A list rotates it: the first one signs, all of them
   * verify. `null` switches the signature off on purpose.
   */
  integrityKey: IntegrityKey;
}

/** Milliseconds: a command that Redis runs later, queued while it was away, is void. */
const COMMAND_LIFETIME = 1000;
/** Milliseconds: an older failure notice says nothing about the issuer; it may be a replay. */
const FAILURE_LIFETIME = 60_000;

/** Shares each check of an issuer's metadata through Redis, so that a fleet reads the issuer as one client. */
export class RedisMetadataStore implements LeasingMetadataStore, WatchableMetadataStore {
  readonly #client: Redis | Cluster;
  readonly #prefix: string;
  readonly #envelope: SignedEnvelope;
  readonly #subscriber: Subscriber;
  readonly #clock = new SystemClock();
  /** How far Redis' clock is ahead of ours. */
  #offset: number | undefined;

  /** @throws {AuthConfigurationError} without a client, without an integrity key, or with one that is too short */
  constructor({ client, prefix = 'nestjs-resilient-auth:', integrityKey }: RedisMetadataStoreOptions) {
    if (typeof client?.eval !== 'function')
      throw new AuthConfigurationError('RedisMetadataStore needs a client: an instance of ioredis');
    this.#client = client;
    this.#prefix = prefix;
    this.#envelope = new SignedEnvelope(integrityKeys(integrityKey));
    this.#subscriber = new Subscriber(client);
  }

  async load(issuer: string): Promise<StoredMetadata | undefined> {
    const { snapshot } = keysOf(this.#prefix, issuer);
    const [signed, now] = tuple(await this.#run(LOAD, [snapshot]));
    this.#observe(now);
    return typeof signed === 'string' ? this.#parse(issuer, signed, Number(now)) : undefined;
  }

  async save(metadata: StoredMetadata, { expiresIn, lease }: SaveOptions): Promise<void> {
    const { issuer } = metadata;
    const granted = lease ?? (await this.acquireLease(issuer, { duration: COMMAND_LIFETIME, seen: 0 }));
    if (!granted.isGranted) return;
    const { snapshot, lease: leaseKey, fence: fenceKey, channel } = keysOf(this.#prefix, issuer);
    const { fence } = granted;
    const { token, grantedAt } = parseHandle(granted.handle);
    // By Redis' clock, and from before the issuer was read: the clocks of replicas do not matter.
    const content = { ...metadata, fence, checkedAt: grantedAt };
    const signed = this.#envelope.sign('snapshot', content);
    const keys = [snapshot, leaseKey, fenceKey];
    await this.#run(SAVE, keys, token, fence, signed, Math.ceil(expiresIn), channel);
  }

  async acquireLease(issuer: string, request: LeaseRequest): Promise<MetadataLease> {
    const { lease: leaseKey, fence: fenceKey, budget } = keysOf(this.#prefix, issuer);
    const token = randomUUID();
    const { burst = 0, interval = 0, reserve = 0 } = request.budget ?? {};
    // Without Redis' clock, a command that comes late cannot be recognized.
    if (this.#offset === undefined) await this.#syncClock(issuer);
    const notAfter = Math.ceil(this.#now() + COMMAND_LIFETIME);
    const limits = [Math.ceil(request.duration), request.seen, burst, interval, notAfter, reserve];
    const reply = tuple(await this.#run(ACQUIRE, [leaseKey, fenceKey, budget], token, ...limits)).map(Number);
    const [now, verdict, fence, retryAfter] = reply;
    if (
      now === undefined ||
      fence === undefined ||
      retryAfter === undefined ||
      !reply.every(Number.isSafeInteger)
    )
      throw new MetadataStoreError('unavailable', 'Redis answered a lease request with something else');
    this.#observe(now);
    if (verdict === 1) return { isGranted: true, fence, handle: `${now} ${token}` };
    return { isGranted: false, reason: verdict === -1 ? 'budget-spent' : 'held', fence, retryAfter };
  }

  async releaseLease(
    issuer: string,
    { handle, fence }: GrantedLease,
    failure?: FailureNotice,
  ): Promise<void> {
    const { lease, channel } = keysOf(this.#prefix, issuer);
    const notice = failure && this.#envelope.sign('failure', { ...failure, issuer, fence, at: this.#now() });
    await this.#run(RELEASE, [lease], parseHandle(handle).token, channel, notice ? `!${notice}` : '');
  }

  watch(issuer: string, listener: StoreListener): () => void {
    return this.#subscriber.subscribe(keysOf(this.#prefix, issuer).channel, {
      catchUp: async () => {
        try {
          const stored = await this.load(issuer);
          if (stored) listener.received(stored);
        } catch (error) {
          // The stored snapshot cannot be used; the watch works.
          if (!isRefusal(error)) throw error;
          listener.troubled(error);
        }
      },
      listening: () => listener.listening(),
      message: (text) => {
        // Until Redis' clock is known, a message has no age; the stored snapshot is read as soon as it is.
        if (this.#offset === undefined) return;
        if (text.startsWith('!')) this.#reportFailure(issuer, text.slice(1), listener);
        else listener.received(this.#parse(issuer, text, this.#now()));
      },
      troubled: (error) => listener.troubled(error),
    });
  }

  #reportFailure(issuer: string, signed: string, listener: StoreListener): void {
    const { issuer: named, fence, retryAfter, at } = this.#envelope.verify('failure', signed);
    if (named !== issuer || typeof fence !== 'number' || typeof retryAfter !== 'number') return;
    if (Math.abs(this.#now() - Number(at)) < FAILURE_LIFETIME) listener.failed({ fence, retryAfter });
  }

  #parse(issuer: string, signed: string, now: number): StoredMetadata {
    const content = this.#envelope.verify('snapshot', signed);
    const { issuer: named, jwksUri, keys, checkedAt, fence, isDoubleChecked } = content;
    if (named !== issuer)
      throw new MetadataStoreError('wrong-issuer', 'The snapshot in Redis is of another issuer');
    if (
      typeof jwksUri !== 'string' ||
      !Array.isArray(keys) ||
      typeof checkedAt !== 'number' ||
      typeof fence !== 'number'
    )
      throw new MetadataStoreError('malformed', 'The snapshot in Redis is not what was saved');
    const age = now - checkedAt;
    return {
      issuer,
      jwksUri,
      keys,
      checkedAt,
      age,
      fence,
      isDoubleChecked: isDoubleChecked === true,
    };
  }

  /** Learns Redis' clock. An answer that was queued while Redis was away comes too late to be of use. */
  async #syncClock(issuer: string): Promise<void> {
    const startedAt = this.#clock.monotonic();
    this.#observe(tuple(await this.#run(LOAD, [keysOf(this.#prefix, issuer).snapshot]))[1]);
    if (this.#clock.monotonic() - startedAt > COMMAND_LIFETIME)
      throw new MetadataStoreError('timeout', 'Redis answered too late');
  }

  /** Redis' clock, as of its last answer. */
  #now(): number {
    return this.#clock.monotonic() + (this.#offset ?? 0);
  }

  #observe(now: unknown): void {
    const offset = Number(now) - this.#clock.monotonic();
    if (!Number.isFinite(offset))
      throw new MetadataStoreError('unavailable', 'The answer of Redis lacks its time');
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

/** When the lease was granted, by Redis' clock, and what Redis holds while it lasts. */
function parseHandle(handle: string): { readonly grantedAt: number; readonly token: string } {
  const [grantedAt, token = ''] = handle.split(' ');
  return { grantedAt: Number(grantedAt), token };
}
