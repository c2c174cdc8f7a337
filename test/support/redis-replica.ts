import { Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { AuthModule, MetadataProvider, type MetadataOptions } from 'nestjs-resilient-auth';
import { RedisMetadataStore } from 'nestjs-resilient-auth/redis';
import { OrdersModule } from './orders.js';

/** What a replica in a process of its own is told on its command line. */
export interface ReplicaSettings {
  readonly issuer: string;
  readonly redis: string;
  readonly prefix: string;
  readonly integrityKey: string;
  readonly metadata?: MetadataOptions;
}

/** What it says to the process that started it. */
export type ReplicaNews = { readonly listening: string } | { readonly event: string };

/** A whole service, as users have it: Nest over HTTP, and snapshots shared through Redis. */
export async function startReplica(
  { issuer, redis, prefix, integrityKey, metadata }: ReplicaSettings,
  tell: (news: ReplicaNews) => void,
): Promise<INestApplication> {
  const client = new Redis(redis);
  client.on('error', () => undefined);
  const store = new RedisMetadataStore({ client, prefix, integrityKey });
  const auth = { issuer, audience: 'api', metadata: { ...metadata, requireHttps: false, store } };
  class ReplicaModule {}
  Module({ imports: [AuthModule.forRoot(auth), OrdersModule] })(ReplicaModule);
  const app = await NestFactory.create(ReplicaModule, { logger: false });
  app.get(MetadataProvider).events$.subscribe(({ type }) => tell({ event: type }));
  await app.listen(0, '127.0.0.1');
  tell({ listening: await app.getUrl() });
  return app;
}
