import { Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway, type OnGatewayInit } from '@nestjs/websockets';
import { AuthModule, Authorized, CurrentUser } from 'nestjs-resilient-auth';
import {
  HandshakeAuthentication,
  HandshakeAuthModule,
  webSocketContext,
} from 'nestjs-resilient-auth/websockets';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import type { AddressInfo } from 'node:net';
import { expose } from '../support/remote.js';

/** One figure of the server's memory and timers. */
export interface Usage {
  /** Bytes in use after a collection: heap and buffers. */
  readonly bytes: number;
  readonly timers: number;
}

const isProtected = process.argv[2] === 'protected';

@Authorized()
@WebSocketGateway({ path: '/live' })
class ProtectedGateway implements OnGatewayInit {
  constructor(@Inject(HandshakeAuthentication) private readonly handshakes: HandshakeAuthentication) {}

  afterInit(server: object): void {
    this.handshakes.protect(server);
  }

  @SubscribeMessage('me')
  me(@CurrentUser('sub') subject: unknown): object {
    return { event: 'me', data: subject };
  }
}

@WebSocketGateway({ path: '/live' })
class OpenGateway {
  @SubscribeMessage('me')
  me(): object {
    return { event: 'me', data: 'alice' };
  }
}

const issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256' });

@Module({
  imports: isProtected
    ? [AuthModule.forRoot({ ...issuer.options(), contexts: [webSocketContext()] }), HandshakeAuthModule]
    : [],
  providers: [isProtected ? ProtectedGateway : OpenGateway],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
app.useWebSocketAdapter(new WsAdapter(app));
await app.listen(0, '127.0.0.1');
const { port }: AddressInfo = app.getHttpServer().address();

/** What the parent process calls. */
export const server = {
  port: (): number => port,
  /** As many tokens as there are clients, each of its own subject and lifetime. */
  tokens: (count: number): Promise<string[]> =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        issuer.sign({ sub: `user-${index}` }, { expiresIn: `${3600 + index}s` }),
      ),
    ),
  usage(): Usage {
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    return { bytes: heapUsed + external, timers };
  },
};

expose(server);
