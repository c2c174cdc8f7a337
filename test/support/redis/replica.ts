import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { AuthModule, MetadataProvider, type MetadataOptions } from 'nestjs-resilient-auth';
import { RedisMetadataStore } from 'nestjs-resilient-auth/redis';
import { OrdersModule } from '../apps/orders.module.js';

/*
 * A replica in a process of its own, see replica-processes.ts: a whole service, as users have it, with Nest over HTTP and
 * its snapshots shared through Redis.
 */

/** What it gets on its command line, as JSON. */
export interface ReplicaSettings {
  readonly issuer: string;
  readonly redis: string;
  readonly prefix: string;
  readonly integrityKey: string;
  readonly metadata: MetadataOptions;
}

/** What it says to the process that started it. */
export type ReplicaNews = { readonly listening: string } | { readonly event: string };

const { issuer, redis, prefix, integrityKey, metadata }: ReplicaSettings = JSON.parse(process.argv[2] ?? '');
const send = (news: ReplicaNews): void => void process.send?.(news);
// Never longer than the tests it is for.
process.on('disconnect', () => process.exit());

const client = new Redis(redis);
const store = new RedisMetadataStore({ client, prefix, integrityKey });
const trust = { issuer, audience: 'api', metadata: { ...metadata, requireHttps: false, store } };

@Module({ imports: [AuthModule.forRoot(trust), OrdersModule] })
class ReplicaModule {}

const app = await NestFactory.create(ReplicaModule, { logger: false });
app.get(MetadataProvider).events$.subscribe(({ type }) => send({ event: type }));
await app.listen(0, '127.0.0.1');
send({ listening: await app.getUrl() });
