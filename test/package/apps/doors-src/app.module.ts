import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Controller, Module, type DynamicModule } from '@nestjs/common';
import { GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway, type OnGatewayInit } from '@nestjs/websockets';
import { AuthModule, Authorized, CurrentUser, type ResilientAuthOptions } from 'nestjs-resilient-auth';
import { graphqlContext, GraphqlAuthModule, SubscriptionAuthentication } from 'nestjs-resilient-auth/graphql';
import { microserviceContext } from 'nestjs-resilient-auth/microservices';
import {
  HandshakeAuthentication,
  HandshakeAuthModule,
  webSocketContext,
} from 'nestjs-resilient-auth/websockets';

@Authorized()
@Resolver()
export class MeResolver {
  @Query(() => String)
  me(@CurrentUser('sub') subject: string): string {
    return subject;
  }
}

@Authorized()
@WebSocketGateway({ path: '/live' })
export class MeGateway implements OnGatewayInit {
  constructor(private readonly handshakes: HandshakeAuthentication) {}

  afterInit(server: object): void {
    this.handshakes.protect(server);
  }

  @SubscribeMessage('me')
  me(@CurrentUser('sub') subject: string): { event: string; data: string } {
    return { event: 'me', data: subject };
  }
}

@Authorized()
@Controller()
export class MeHandler {
  @MessagePattern('me')
  me(@CurrentUser('sub') subject: string): string {
    return subject;
  }
}

/** The same decorators in every context. */
@Module({})
export class DoorsModule {
  static register(auth: ResilientAuthOptions): DynamicModule {
    return {
      module: DoorsModule,
      imports: [
        AuthModule.forRoot({
          ...auth,
          secureByDefault: true,
          contexts: [graphqlContext(), webSocketContext(), microserviceContext()],
        }),
        HandshakeAuthModule,
        GraphQLModule.forRootAsync<ApolloDriverConfig>({
          driver: ApolloDriver,
          imports: [GraphqlAuthModule],
          inject: [SubscriptionAuthentication],
          useFactory: (subscriptions: SubscriptionAuthentication) => ({
            autoSchemaFile: true,
            fieldResolverEnhancers: ['guards'],
            subscriptions: { 'graphql-ws': subscriptions.graphqlWs() },
          }),
        }),
      ],
      controllers: [MeHandler],
      providers: [MeResolver, MeGateway],
    };
  }
}
