import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Redis } from 'ioredis';
import { AuthModule, MetadataProvider, type RefreshTrigger } from 'nestjs-resilient-auth';
import { RedisMetadataStore } from 'nestjs-resilient-auth/redis';
import { expose } from '../../support/remote.js';
import { epochTime } from './epoch-time.js';

const KEEP_ALIVE = 600_000;

/** What a replica is started with. */
export interface ReplicaSettings {
  readonly issuer: string;
  readonly automaticRefreshInterval: number;
  readonly store:
    { readonly url: string; readonly prefix: string; readonly integrityKey: string } | undefined;
}

/** What a replica has done; times in milliseconds since the epoch. */
export interface ReplicaRecord {
  readonly refreshes: readonly { readonly at: number; readonly trigger: RefreshTrigger }[];
  /** When each key came to be known. */
  readonly learned: Readonly<Record<string, number>>;
  readonly storeFailures: number;
}

@Controller()
class GreetingController {
  @Get()
  greet(): { greeting: string } {
    return { greeting: 'hello' };
  }
}

/** A small service behind the module, in a process of its own. */
export class Replica {
  readonly #refreshes: { at: number; trigger: RefreshTrigger }[] = [];
  readonly #learned: Record<string, number> = {};
  #storeFailures = 0;
  #asking = 0;

  private constructor(private readonly app: NestFastifyApplication) {}

  static async start(settings: ReplicaSettings): Promise<Replica> {
    const app = await createApp(settings);
    const replica = new Replica(app);
    replica.#recordEvents(app.get(MetadataProvider));
    await app.listen(0, '127.0.0.1');
    // A client that reuses a connection just as it is closed would count as refused.
    app.getHttpServer().keepAliveTimeout = KEEP_ALIVE;
    return replica;
  }

  async port(): Promise<number> {
    return Number(new URL(await this.app.getUrl()).port);
  }

  record(): ReplicaRecord {
    return { refreshes: this.#refreshes, learned: this.#learned, storeFailures: this.#storeFailures };
  }

  /** Whether it is asking the issuer at this moment. */
  isAsking(): boolean {
    return this.#asking > 0;
  }

  #recordEvents(provider: MetadataProvider): void {
    provider.events$.subscribe((event) => {
      const at = epochTime();
      if (event.type === 'refresh-started') {
        this.#asking += 1;
        this.#refreshes.push({ at, trigger: event.trigger });
      }
      if (event.type === 'refresh-succeeded' || event.type === 'refresh-failed') this.#asking -= 1;
      if (event.type === 'metadata-changed') for (const kid of event.addedKeyIds) this.#learned[kid] = at;
      if (event.type === 'store-failed') this.#storeFailures += 1;
    });
  }
}

function createApp(settings: ReplicaSettings): Promise<NestFastifyApplication> {
  const { issuer, automaticRefreshInterval, store } = settings;
  const auth = AuthModule.forRoot({
    issuer,
    audience: 'api',
    // A signature check for each request, as if every user came once.
    tokenCache: false,
    metadata: { requireHttps: false, automaticRefreshInterval, store: store && storeOf(store) },
    secureByDefault: true,
  });

  @Module({ imports: [auth], controllers: [GreetingController] })
  class ReplicaModule {}

  return NestFactory.create<NestFastifyApplication>(ReplicaModule, new FastifyAdapter(), { logger: false });
}

function storeOf({ url, prefix, integrityKey }: NonNullable<ReplicaSettings['store']>): RedisMetadataStore {
  const client = new Redis(url);
  // The module emits store-failed for it; ioredis would print it as well.
  client.on('error', () => undefined);
  return new RedisMetadataStore({ client, prefix, integrityKey });
}

const [given] = process.argv.slice(2);
if (process.send && given !== undefined) {
  const settings: ReplicaSettings = JSON.parse(given);
  expose(await Replica.start(settings));
}
