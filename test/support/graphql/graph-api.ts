import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import type { INestApplication } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { Test } from '@nestjs/testing';
import { AuthModule, Clock, type AuthModuleExtras, type ResilientAuthOptions } from 'nestjs-resilient-auth';
import {
  GraphqlAuthModule,
  graphqlContext,
  SubscriptionAuthentication,
  type SubscriptionAuthenticationOptions,
} from 'nestjs-resilient-auth/graphql';
import { createClient, type Client } from 'graphql-ws';
import type { AddressInfo } from 'node:net';
import request from 'supertest';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { platforms, type CreateApplication } from '../apps/platforms.js';
import { HasTenant, OrdersResolver, Updates } from './orders-graph.js';

type Driver = 'apollo' | 'mercurius';

/** Every server that Nest runs GraphQL on. */
export const graphServers: readonly { server: string; driver: Driver; create: CreateApplication }[] = [
  { server: 'Apollo on Express', driver: 'apollo', create: platforms[0].create },
  { server: 'Apollo on Fastify', driver: 'apollo', create: platforms[1].create },
  { server: 'Mercurius', driver: 'mercurius', create: platforms[1].create },
];

export interface GraphSettings {
  readonly context?: NonNullable<MercuriusDriverConfig['context']>;
  readonly subscriptions?: SubscriptionAuthenticationOptions;
  readonly clock?: Clock;
  readonly driverOptions?: Readonly<Record<string, unknown>>;
}

/** The answer to one operation. */
export interface GraphAnswer {
  readonly status: number;
  readonly data: Record<string, unknown> | null | undefined;
  readonly errors: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
}

/** A GraphQL API under test. */
export class GraphApi {
  private constructor(
    readonly app: INestApplication,
    readonly updates: Updates,
  ) {}

  static async start(
    { driver, create }: (typeof graphServers)[number],
    options: ResilientAuthOptions & AuthModuleExtras,
    { context, subscriptions, clock, driverOptions }: GraphSettings = {},
  ): Promise<GraphApi> {
    const updates = new Updates();
    const common = { autoSchemaFile: true, fieldResolverEnhancers: ['guards' as const], ...driverOptions };
    const module =
      driver === 'apollo'
        ? GraphQLModule.forRootAsync<ApolloDriverConfig>({
            driver: ApolloDriver,
            imports: [GraphqlAuthModule],
            inject: [SubscriptionAuthentication],
            useFactory: (auth: SubscriptionAuthentication) => ({
              ...common,
              graphiql: false,
              allowBatchedHttpRequests: true,
              ...(context !== undefined && { context }),
              subscriptions: { 'graphql-ws': auth.graphqlWs(subscriptions) },
            }),
          })
        : GraphQLModule.forRoot<MercuriusDriverConfig>({
            driver: MercuriusDriver,
            ...common,
            allowBatchedQueries: true,
            subscription: { fullWsTransport: true },
            ...(context !== undefined && { context }),
          });
    const builder = Test.createTestingModule({
      imports: [AuthModule.forRoot({ contexts: [graphqlContext()], ...options }), module],
      providers: [OrdersResolver, HasTenant, { provide: Updates, useValue: updates }],
    });
    if (clock) builder.overrideProvider(Clock).useValue(clock);
    const app = await create(builder);
    onTestFinished(() => app.close());
    return new GraphApi(app, updates);
  }

  async send(
    query: string,
    token?: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<GraphAnswer> {
    const { status, body } = await this.post({ query }, token, headers);
    return { status, data: body.data, errors: body.errors ?? [] };
  }

  post(body: object, token?: string, headers: Readonly<Record<string, string>> = {}): request.Test {
    const test = request(this.app.getHttpServer()).post('/graphql').set(headers).send(body);
    return token === undefined ? test : test.set('Authorization', `Bearer ${token}`);
  }

  /** A client of graphql-ws that never connects again by itself. */
  async connect(
    connectionParams?: Record<string, unknown>,
    headers: Record<string, string> = {},
  ): Promise<{ client: Client; closed: Promise<unknown> }> {
    const server = this.app.getHttpServer();
    if (!server.listening) await this.app.listen(0, '127.0.0.1');
    const { port }: AddressInfo = server.address();
    class SocketWithHeaders extends WebSocket {
      constructor(address: string, protocols: string | string[]) {
        super(address, protocols, { headers });
      }
    }
    let close: (event: unknown) => void;
    const closed = new Promise<unknown>((resolve) => (close = resolve));
    const client = createClient({
      url: `ws://127.0.0.1:${port}/graphql`,
      webSocketImpl: SocketWithHeaders,
      retryAttempts: 0,
      lazyCloseTimeout: 60_000,
      ...(connectionParams && { connectionParams }),
      on: { closed: (event) => close(event) },
    });
    onTestFinished(async () => {
      await client.dispose();
    });
    return { client, closed };
  }
}
