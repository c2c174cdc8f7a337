import { randomBytes, randomUUID, type BinaryLike } from 'node:crypto';
import { Redis, type RedisOptions } from 'ioredis';
import {
  Authenticator,
  type Clock,
  type LeasingMetadataStore,
  type MetadataEvent,
  type MetadataOptions,
  type MetadataStore,
  type WatchableMetadataStore,
} from 'nestjs-resilient-auth';
import { RedisMetadataStore } from 'nestjs-resilient-auth/redis';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { onTestFinished } from 'vitest';
import { IssuerMetadataProvider } from '../../../lib/metadata/issuer-metadata.provider.js';
import { IssuerMetadataProviders } from '../../../lib/metadata/issuer-metadata.providers.js';
import { resolveAuthOptions } from '../../../lib/options/resolve-options.js';
import { SystemClock } from '../../../lib/time/clock.js';
import { until } from '../clock/until.js';
import { outcomeOf, watch, type Outcome, type Watched } from '../apps/scene.js';

/** What a replica departs from. */
export interface ReplicaOptions {
  readonly metadata?: MetadataOptions;
  readonly client?: RedisOptions;
  readonly prefix?: string;
  readonly integrityKey?: BinaryLike | readonly BinaryLike[] | null;
  readonly issuer?: TestIssuer;
  readonly clock?: Clock;
  /** Puts something between the replica and its store. */
  readonly intercept?: (store: RedisMetadataStore) => MetadataStore;
  /** `false`: the first request that needs the metadata loads it. */
  readonly start?: boolean;
}

/** One of a fleet, in this process, with connections of its own. */
export class Replica {
  readonly events: MetadataEvent[] = [];

  constructor(
    readonly provider: IssuerMetadataProvider,
    readonly authenticator: Authenticator,
    readonly client: Redis,
    readonly store: RedisMetadataStore,
  ) {
    provider.events$.subscribe((event) => this.events.push(event));
  }

  /** What becomes of a token. */
  verdict(token: string): Promise<Outcome> {
    return outcomeOf(this.authenticator.authenticate(token));
  }

  /** The same, without waiting for it. */
  watch(token: string): Watched {
    return watch(this.authenticator.authenticate(token));
  }

  emitted<Type extends MetadataEvent['type']>(type: Type): Extract<MetadataEvent, { type: Type }>[] {
    return this.events.filter(
      (event): event is Extract<MetadataEvent, { type: Type }> => event.type === type,
    );
  }

  /** Why snapshots were refused. */
  refusals(): readonly string[] {
    return this.emitted('snapshot-refused').map(({ error }) => error.fault);
  }

  get keyIds(): readonly string[] {
    return this.provider.status().keyIds;
  }

  get storeState(): string | undefined {
    return this.provider.status().store?.state;
  }
}

/** Calls back when the test is over. */
export type AtTheEnd = (end: () => Promise<void>) => void;

/** Replicas of one service: one Redis, one prefix, one secret, one issuer. */
export class Fleet {
  readonly prefix = `test:${randomUUID()}:`;
  readonly integrityKey = randomBytes(32);
  readonly replicas: Replica[] = [];
  /** Listeners that are no replicas. */
  #ears = 0;

  private constructor(
    readonly url: string,
    readonly issuer: TestIssuer,
    /** An outsider with access to Redis. */
    readonly redis: Redis,
  ) {}

  /**
   * Everything ends with the test, and nothing of it stays in Redis.
   *
   * @param atTheEnd of tests that run at the same time as others: their own
   */
  static async gather(url: string | undefined, atTheEnd: AtTheEnd = onTestFinished): Promise<Fleet> {
    if (url === undefined) throw new Error('There is no Redis');
    const redis = new Redis(url);
    redis.on('error', () => undefined);
    const issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256' });
    const fleet = new Fleet(url, issuer, redis);
    atTheEnd(async () => {
      await issuer.close();
      for (const { provider, client } of fleet.replicas) {
        provider.close();
        client.disconnect();
      }
      const left = redis.status === 'ready' ? await fleet.keys() : [];
      if (left.length > 0) await redis.del(...left);
      redis.disconnect();
    });
    return fleet;
  }

  /** One more replica, started unless asked otherwise. */
  async join(options: ReplicaOptions = {}): Promise<Replica> {
    const client = new Redis(this.url, { ...options.client });
    client.on('error', () => undefined);
    const store = new RedisMetadataStore({
      client,
      prefix: options.prefix ?? this.prefix,
      integrityKey: options.integrityKey === undefined ? this.integrityKey : options.integrityKey,
    });
    const issuer = options.issuer ?? this.issuer;
    const metadata = {
      refreshInterval: '1s',
      ...options.metadata,
      store: options.intercept?.(store) ?? store,
    };
    const resolved = resolveAuthOptions(issuer.options({ metadata }), {});
    const [first] = resolved.issuers;
    if (!first) throw new Error('There is no issuer');
    const clock = options.clock ?? new SystemClock();
    const provider = new IssuerMetadataProvider(first.metadata, clock);
    const providers = new IssuerMetadataProviders(new Map([[first.name, provider]]));
    const replica = new Replica(provider, new Authenticator(resolved, providers, clock), client, store);
    this.replicas.push(replica);
    if (options.start !== false) await provider.start();
    return replica;
  }

  /** Several, started at the same moment, and listening to each other. */
  async join3(options: ReplicaOptions = {}): Promise<[Replica, Replica, Replica]> {
    const three = await Promise.all([this.join(options), this.join(options), this.join(options)]);
    await this.listening(this.replicas.length);
    return three;
  }

  /** Judged attempts to refresh of all replicas so far. */
  attempts(): number {
    return this.replicas.reduce((sum, replica) => sum + replica.emitted('refresh-started').length, 0);
  }

  /** Requests for the issuer's key set so far. */
  retrievals(): number {
    return this.issuer.requests.filter(({ endpoint }) => endpoint === 'jwks').length;
  }

  /** Everything of this fleet in Redis. */
  keys(): Promise<string[]> {
    return this.redis.keys(`*${this.prefix}*`);
  }

  /** The one key with this ending. */
  async key(ending: 'snapshot' | 'lease' | 'fence' | 'budget'): Promise<string> {
    const found = (await this.keys()).filter((key) => key.endsWith(`:${ending}`));
    const [key] = found;
    if (key === undefined || found.length > 1) throw new Error(`There are ${found.length} keys of this kind`);
    return key;
  }

  /** Where checks are published, once a replica listens. */
  async channel(): Promise<string> {
    const [channel] = await this.#channels();
    if (channel === undefined) throw new Error('No replica listens');
    return channel;
  }

  /** The sealed snapshot in Redis. */
  async snapshot(): Promise<string> {
    const kept = await this.redis.get(await this.key('snapshot'));
    if (kept === null) throw new Error('There is no snapshot');
    return kept;
  }

  /** Waits until a snapshot other than this one is in Redis. */
  async nextSnapshot(before?: string): Promise<string> {
    await until(async () => (await this.keys()).some((key) => key.endsWith(':snapshot')));
    await until(async () => (await this.snapshot()) !== before);
    return this.snapshot();
  }

  /** Waits until so many replicas listen. */
  async listening(count: number): Promise<void> {
    await until(async () => {
      const channels = await this.#channels();
      if (channels.length === 0) return false;
      const [, listeners] = await this.redis.pubsub('NUMSUB', channels[0] ?? '');
      return listeners === count + this.#ears;
    });
  }

  /** Hears what is said on the channel from now on. */
  async overhear(): Promise<string[]> {
    const heard: string[] = [];
    const ear = this.redis.duplicate();
    this.#ears++;
    onTestFinished(() => ear.disconnect());
    ear.on('message', (_channel, text: string) => heard.push(text));
    await ear.subscribe(await this.channel());
    return heard;
  }

  #channels(): Promise<string[]> {
    return this.redis.pubsub('CHANNELS', `*${this.prefix}*`).then((channels) => channels.map(String));
  }
}

/** The same store, with something that happens before it is asked. */
export function withBefore(
  store: RedisMetadataStore,
  { load, acquireLease }: { load?: () => Promise<void>; acquireLease?: () => Promise<void> },
): LeasingMetadataStore & WatchableMetadataStore {
  return {
    load: async (issuer) => {
      await load?.();
      return store.load(issuer);
    },
    save: (metadata, options) => store.save(metadata, options),
    acquireLease: async (issuer, request) => {
      await acquireLease?.();
      return store.acquireLease(issuer, request);
    },
    releaseLease: (issuer, lease, failure) => store.releaseLease(issuer, lease, failure),
    watch: (issuer, listener) => store.watch(issuer, listener),
  };
}
