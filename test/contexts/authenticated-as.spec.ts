import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Controller, Inject, Sse, type INestApplication, type MessageEvent } from '@nestjs/common';
import { GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { ClientProxyFactory, EventPattern, MessagePattern, Transport } from '@nestjs/microservices';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway, type OnGatewayInit } from '@nestjs/websockets';
import { Authenticator, AuthModule, Authorized, CurrentUser } from 'nestjs-resilient-auth';
import { graphqlContext } from 'nestjs-resilient-auth/graphql';
import { microserviceContext } from 'nestjs-resilient-auth/microservices';
import { authenticatedAs } from 'nestjs-resilient-auth/testing';
import {
  HandshakeAuthentication,
  HandshakeAuthModule,
  webSocketContext,
} from 'nestjs-resilient-auth/websockets';
import { lastValueFrom, of, type Observable } from 'rxjs';
import { io, type Socket } from 'socket.io-client';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { TokenWatcher } from '../../lib/authentication/watch/token-watcher.js';
import { freePort } from '../support/brokers/free-port.js';
import { until } from '../support/clock/until.js';

const placed: unknown[] = [];

@Resolver()
@Authorized()
class OrdersResolver {
  @Query(() => String)
  me(@CurrentUser('sub') subject: string): string {
    return subject;
  }

  @Query(() => String, { nullable: true })
  @Authorized({ scopes: ['orders:write'] })
  write(): string {
    return 'written';
  }
}

@WebSocketGateway({ path: '/live' })
@Authorized()
class OrdersGateway implements OnGatewayInit {
  constructor(@Inject(HandshakeAuthentication) private readonly handshakes: HandshakeAuthentication) {}

  afterInit(server: object): void {
    this.handshakes.protect(server);
  }

  @SubscribeMessage('me')
  me(@CurrentUser('sub') subject: string): object {
    return { event: 'me', data: subject };
  }

  @SubscribeMessage('write')
  @Authorized({ scopes: ['orders:write'] })
  write(): object {
    return { event: 'write', data: 'written' };
  }
}

@Controller('orders')
@Authorized()
class OrdersHandler {
  @MessagePattern('me')
  me(@CurrentUser('sub') subject: string): string {
    return subject;
  }

  @MessagePattern('write')
  @Authorized({ scopes: ['orders:write'] })
  write(): string {
    return 'written';
  }

  @EventPattern('placed')
  placed(@CurrentUser('sub') subject: string): void {
    placed.push(subject);
  }

  @Sse('events')
  @Authorized({ onExpiry: 'end' })
  events(@CurrentUser('sub') subject: string): Observable<MessageEvent> {
    return of({ data: { subject } });
  }
}

describe('authenticatedAs', () => {
  let app: INestApplication;
  let port: number;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [
        AuthModule.forRoot({
          // Nothing listens here: no issuer is needed.
          issuer: 'https://login.example.test',
          audience: 'api',
          contexts: [graphqlContext(), webSocketContext(), microserviceContext()],
        }),
        HandshakeAuthModule,
        GraphQLModule.forRoot<ApolloDriverConfig>({
          driver: ApolloDriver,
          autoSchemaFile: true,
          graphiql: false,
        }),
      ],
      controllers: [OrdersHandler],
      providers: [OrdersResolver, OrdersGateway],
    })
      .overrideProvider(Authenticator)
      .useValue(authenticatedAs({ sub: 'alice', scope: 'orders:read' }))
      .compile();
    app = module.createNestApplication({ logger: false });
    app.useWebSocketAdapter(new IoAdapter(app));
    port = await freePort();
    app.connectMicroservice({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
  });
  afterAll(() => app.close());

  const connect = async (auth: object = {}): Promise<Socket> => {
    const socket = io(await app.getUrl(), { path: '/live', auth, reconnection: false, forceNew: true });
    onTestFinished(() => void socket.disconnect());
    await new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(undefined));
      socket.once('connect_error', reject);
    });
    return socket;
  };
  const answerOf = (socket: Socket, event: string): Promise<unknown> =>
    new Promise((resolve) => {
      socket.once(event, resolve);
      socket.once('exception', resolve);
      socket.emit(event);
    });

  it('answers a resolver as the user, and rejects a field whose scope the user lacks', async () => {
    const { body } = await request(app.getHttpServer()).post('/graphql').send({ query: '{ me write }' });
    expect(body).toMatchObject({
      data: { me: 'alice', write: null },
      errors: [{ path: ['write'], extensions: { errorCode: 'AUTH_SCOPE_MISSING' } }],
    });
  });

  it('accepts the user at a protected gateway, and rejects a message whose scope the user lacks', async () => {
    for (const auth of [{}, { token: 'any' }]) {
      const socket = await connect(auth);
      expect(await answerOf(socket, 'me')).toBe('alice');
      expect(await answerOf(socket, 'write')).toMatchObject({ errorCode: 'AUTH_SCOPE_MISSING' });
      expect(app.get(TokenWatcher).size).toBe(1);
      socket.disconnect();
      await until(() => app.get(TokenWatcher).size === 0);
    }
  });

  it('answers message handlers and handles events as the user, and rejects a message whose scope the user lacks', async () => {
    const client = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port },
    });
    onTestFinished(() => client.close());
    const ask = (pattern: string): Promise<unknown> =>
      lastValueFrom(client.send(pattern, {})).catch((error: unknown) => error);
    expect(await ask('me')).toBe('alice');
    expect(await ask('write')).toMatchObject({ statusCode: 403, errorCode: 'AUTH_SCOPE_MISSING' });
    await lastValueFrom(client.emit('placed', {}), { defaultValue: undefined });
    await until(() => placed.length > 0);
    expect(placed).toEqual(['alice']);
  });

  it('streams server-sent events as the user', async () => {
    const { text } = await request(app.getHttpServer()).get('/orders/events').expect(200);
    expect(text).toContain('data: {"subject":"alice"}');
  });
});
