import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Controller, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { MessagePattern, Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway, type OnGatewayInit } from '@nestjs/websockets';
import { AuthModule, Authorized } from 'nestjs-resilient-auth';
import { graphqlContext, GraphqlAuthModule } from 'nestjs-resilient-auth/graphql';
import { microserviceContext } from 'nestjs-resilient-auth/microservices';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import {
  HandshakeAuthentication,
  HandshakeAuthModule,
  webSocketContext,
} from 'nestjs-resilient-auth/websockets';
import { freePort } from '../../support/free-port.js';
import { expose } from '../../support/remote.js';
import { Served } from '../nest/served.js';

/*
 * One application with an open and a protected handler in each context; both do the same and get the same messages.
 */

@Resolver()
class GreetingResolver {
  @Query(() => String)
  open(): string {
    return 'hello';
  }

  @Authorized()
  @Query(() => String)
  known(): string {
    return 'hello';
  }
}

@WebSocketGateway({ path: '/live' })
class GreetingGateway implements OnGatewayInit {
  constructor(@Inject(HandshakeAuthentication) private readonly handshakes: HandshakeAuthentication) {}

  afterInit(server: object): void {
    this.handshakes.protect(server);
  }

  @SubscribeMessage('open')
  open(): object {
    return { event: 'open', data: 'hello' };
  }

  @Authorized()
  @SubscribeMessage('known')
  known(): object {
    return { event: 'known', data: 'hello' };
  }
}

@Controller()
class GreetingHandler {
  @MessagePattern('open')
  open(): string {
    return 'hello';
  }

  @Authorized()
  @MessagePattern('known')
  known(): string {
    return 'hello';
  }
}

const issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256' });

@Module({
  imports: [
    AuthModule.forRoot({
      ...issuer.options(),
      contexts: [graphqlContext(), webSocketContext(), microserviceContext()],
    }),
    GraphqlAuthModule,
    HandshakeAuthModule,
    GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
  ],
  controllers: [GreetingHandler],
  providers: [GreetingResolver, GreetingGateway],
})
class GreetingModule {}

const app = await NestFactory.create(GreetingModule, { logger: false });
app.useWebSocketAdapter(new WsAdapter(app));
const messagePort = await freePort();
const options = { transport: Transport.TCP, options: { host: '127.0.0.1', port: messagePort } } as const;
app.connectMicroservice<MicroserviceOptions>(options, { inheritAppConfig: true });
await app.startAllMicroservices();
await app.listen(0, '127.0.0.1');

/** What the load calls. */
export class ContextService extends Served {
  ports(): { readonly http: number; readonly messages: number } {
    return { http: this.port(), messages: messagePort };
  }

  token(): Promise<string> {
    return issuer.sign({ sub: 'alice', scope: 'orders:read orders:write' });
  }
}

// Imported elsewhere for its types alone, this file runs only as a process.
expose(new ContextService(Number(new URL(await app.getUrl()).port)));
