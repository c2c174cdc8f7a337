import { Inject, Injectable, type INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import {
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  type OnGatewayConnection,
  type OnGatewayInit,
} from '@nestjs/websockets';
import {
  AllowAnonymous,
  AuthModule,
  Authorized,
  Clock,
  CurrentToken,
  CurrentUser,
  type AuthenticatedToken,
  type ResilientAuthOptions,
} from 'nestjs-resilient-auth';
import {
  HandshakeAuthentication,
  HandshakeAuthModule,
  webSocketContext,
  type ProtectOptions,
} from 'nestjs-resilient-auth/websockets';
import type { AddressInfo } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

const PROTECT_OPTIONS = Symbol('protect');

/** What a gateway's `handleConnection` saw. */
@Injectable()
export class Arrivals {
  readonly clients: object[] = [];
}

@Authorized()
@WebSocketGateway({ path: '/live', namespace: undefined })
export class OrdersGateway implements OnGatewayInit, OnGatewayConnection {
  constructor(
    @Inject(HandshakeAuthentication) private readonly handshakes: HandshakeAuthentication,
    @Inject(PROTECT_OPTIONS) private readonly options: ProtectOptions | false,
    @Inject(Arrivals) private readonly arrivals: Arrivals,
  ) {}

  afterInit(server: object): void {
    if (this.options) this.handshakes.protect(server, this.options);
  }

  handleConnection(client: object): void {
    this.arrivals.clients.push(client);
  }

  @SubscribeMessage('me')
  me(@CurrentUser('sub') subject: string, @CurrentToken() token: AuthenticatedToken): object {
    return { event: 'me', data: `${subject}@${token.claims.sub}` };
  }

  @Authorized({ scopes: ['orders:write'] })
  @SubscribeMessage('write')
  write(@MessageBody() body: unknown): object {
    return { event: 'write', data: body };
  }

  @AllowAnonymous()
  @SubscribeMessage('open')
  open(@CurrentUser() user: unknown): object {
    return { event: 'open', data: user ?? null };
  }
}

export type Transport = 'socket.io' | 'ws';

export interface GatewaySettings {
  readonly protect?: ProtectOptions | false;
  readonly clock?: Clock;
  readonly gateways?: readonly (new (...args: never[]) => object)[];
  readonly configure?: (app: INestApplication) => void;
}

/** A gateway under test, on a real port, and clients of the transport. */
export class GatewayApi {
  private constructor(
    readonly app: INestApplication,
    readonly port: number,
  ) {}

  static async start(
    transport: Transport,
    options: ResilientAuthOptions,
    { protect = {}, clock, gateways = [OrdersGateway], configure }: GatewaySettings = {},
  ): Promise<GatewayApi> {
    const builder = Test.createTestingModule({
      imports: [AuthModule.forRoot({ contexts: [webSocketContext()], ...options }), HandshakeAuthModule],
      providers: [...gateways, Arrivals, { provide: PROTECT_OPTIONS, useValue: protect }],
    });
    if (clock) builder.overrideProvider(Clock).useValue(clock);
    const app = (await builder.compile()).createNestApplication({ logger: false });
    app.useWebSocketAdapter(transport === 'ws' ? new WsAdapter(app) : new IoAdapter(app));
    configure?.(app);
    await app.listen(0, '127.0.0.1');
    onTestFinished(() => app.close());
    const { port }: AddressInfo = app.getHttpServer().address();
    return new GatewayApi(app, port);
  }

  get arrivals(): readonly object[] {
    return this.app.get(Arrivals).clients;
  }

  /** A client of socket.io that never connects again by itself. */
  socketIo(options: { auth?: object; headers?: Record<string, string>; namespace?: string } = {}): Socket {
    const { auth = {}, headers = {}, namespace = '' } = options;
    const socket = io(`http://127.0.0.1:${this.port}${namespace}`, {
      path: '/live',
      auth,
      extraHeaders: headers,
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
    onTestFinished(() => void socket.disconnect());
    return socket;
  }

  ws(headers: Record<string, string> = {}, protocols: readonly string[] = []): WebSocket {
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}/live`, [...protocols], { headers });
    socket.on('error', () => undefined);
    onTestFinished(() => socket.terminate());
    return socket;
  }
}
