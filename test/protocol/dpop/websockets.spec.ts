import type { IncomingMessage } from 'node:http';
import { Inject } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway, type OnGatewayInit } from '@nestjs/websockets';
import { Authorized, CurrentUser } from 'nestjs-resilient-auth';
import { ManualClock, type TestDpopClient } from 'nestjs-resilient-auth/testing';
import { HandshakeAuthentication } from 'nestjs-resilient-auth/websockets';
import type { Socket } from 'socket.io-client';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { GatewayApi, OrdersGateway, type GatewaySettings } from '../../support/apps/gateway-api.js';
import { PUBLIC_URL } from '../../support/dpop/dpop-api.js';
import { useDpopIssuer } from '../../support/dpop/dpop-issuer.js';

@Authorized()
@WebSocketGateway({ path: '/live', namespace: 'second' })
class SecondGateway implements OnGatewayInit {
  constructor(@Inject(HandshakeAuthentication) private readonly handshakes: HandshakeAuthentication) {}

  afterInit(server: object): void {
    this.handshakes.protect(server);
  }

  @SubscribeMessage('me')
  me(@CurrentUser('sub') subject: string): object {
    return { event: 'me', data: subject };
  }
}

describe('DPoP over WebSockets', () => {
  const clock = new ManualClock();
  const parties = useDpopIssuer(clock);

  const start = (
    transport: 'ws' | 'socket.io',
    settings: GatewaySettings = {},
    nonce?: { secrets: string[] },
  ) =>
    GatewayApi.start(
      transport,
      parties().issuer.options({ publicUrl: PUBLIC_URL, dpop: nonce ? { nonce } : {} }),
      {
        clock,
        ...settings,
      },
    );

  const headersFor = async (token: string, path: string, more: { nonce?: string } = {}) => ({
    ...(await parties().client.headers({ url: `${PUBLIC_URL}${path}`, token, ...more })),
  });

  it('[P3-13] accepts a client of ws whose upgrade was proven, and its messages', async () => {
    const api = await start('ws');
    const token = await parties().client.sign({ sub: 'alice' });
    const socket = api.ws(await headersFor(token, '/live'));
    expect(await opened(socket)).toBe('open');
    for (let i = 0; i < 2; i++) expect(await ask(socket, 'me')).toEqual({ event: 'me', data: 'alice@alice' });
  });

  it.each([
    ['no proof', async (token: string) => ({ authorization: `DPoP ${token}` })],
    [
      'the scheme Bearer',
      async (token: string) => ({
        ...(await headersFor(token, '/live')),
        authorization: `Bearer ${token}`,
      }),
    ],
    ['the proof of another path', (token: string) => headersFor(token, '/other')],
  ])('[P3-13] rejects the upgrade of a client of ws with %s', async (_, headersOf) => {
    const api = await start('ws');
    const response = await opened(api.ws(await headersOf(await parties().client.sign())));
    expect(response).toMatchObject({ statusCode: 401 });
    expect(api.arrivals).toHaveLength(0);
  });

  it('[P3-13] rejects a proof that comes again with another upgrade', async () => {
    const api = await start('ws');
    const headers = await headersFor(await parties().client.sign(), '/live');
    expect(await opened(api.ws(headers))).toBe('open');
    expect(await opened(api.ws(headers))).toMatchObject({ statusCode: 401 });
  });

  it('[P3-13] answers the upgrade with a nonce, and accepts the next one that carries it', async () => {
    const api = await start('ws', {}, { secrets: ['a secret of the fleet'] });
    const token = await parties().client.sign();
    const response = await opened(api.ws(await headersFor(token, '/live')));
    if (response === 'open') throw new Error('It has no nonce');
    expect(response.headers['www-authenticate']).toMatch(/^DPoP error="use_dpop_nonce".*algs="/);
    const nonce = String(response.headers['dpop-nonce']);
    expect(await opened(api.ws(await headersFor(token, '/live', { nonce })))).toBe('open');
  });

  it('[P3-13] rejects messages over a connection whose upgrade nothing has checked', async () => {
    const api = await start('socket.io', { protect: false });
    const token = await parties().client.sign();
    const socket = api.socketIo({ headers: await headersFor(token, '/live/') });
    const refusal = await new Promise<{ errorCode: string }>((resolve) => {
      socket.on('exception', resolve);
      socket.on('connect', () => socket.emit('me'));
    });
    expect(refusal.errorCode).toBe('AUTH_TOKEN_SENDER_CONSTRAINED');
  });

  it('[P3-13] accepts a client of socket.io whose first request was proven, in each namespace', async () => {
    const api = await start('socket.io', { gateways: [OrdersGateway, SecondGateway] });
    const token = await parties().client.sign({ sub: 'alice' });
    const socket = api.socketIo({ headers: await headersFor(token, '/live/') });
    expect(await emit(socket, 'me')).toBe('alice@alice');
    // Another namespace of the same connection.
    const second = socket.io.socket('/second');
    second.connect();
    expect(await emit(second, 'me')).toBe('alice');
  });

  it('[P3-13] accepts namespaces that a client opens at once, and rejects the token of another key in one', async () => {
    const api = await start('socket.io', { gateways: [OrdersGateway, SecondGateway] });
    const token = await parties().client.sign({ sub: 'alice' });
    const foreign = await (await parties().issuer.dpopClient()).sign({ sub: 'bob' });
    const answersTo = async (second: string): Promise<readonly unknown[]> => {
      const { dpop } = await parties().client.headers({ url: `${PUBLIC_URL}/live/`, token });
      const socket = api.socketIo({ headers: { dpop }, auth: { token: `DPoP ${token}` } });
      const other = socket.io.socket('/second', { auth: { token: `DPoP ${second}` } });
      return Promise.all([emit(socket, 'me'), emit(other, 'me')]);
    };
    expect(await answersTo(token)).toEqual(['alice@alice', 'alice']);
    expect(await answersTo(foreign)).toMatchObject([
      'alice@alice',
      { errorCode: 'AUTH_TOKEN_SENDER_CONSTRAINED' },
    ]);
  });

  it('[P3-13] accepts the renewal with a token of the proven key, and rejects that of another one', async () => {
    const api = await start('socket.io', { protect: { renewEvent: 'auth:renew' } });
    const socket = api.socketIo({
      headers: await headersFor(await parties().client.sign({ sub: 'alice' }), '/live/'),
    });
    expect(await emit(socket, 'me')).toBe('alice@alice');
    const renew = async (by: TestDpopClient): Promise<unknown> =>
      socket.emitWithAck('auth:renew', await by.sign({ sub: 'alice' }, { expiresIn: '10m' }));
    expect(await renew(parties().client)).toEqual({ status: 'ok' });
    expect(await emit(socket, 'me')).toBe('alice@alice');
    expect(await renew(await parties().issuer.dpopClient())).toMatchObject({
      errorCode: 'AUTH_TOKEN_SENDER_CONSTRAINED',
    });
  });

  it('[P3-13] answers a client of socket.io with the nonce in the data of connect_error', async () => {
    const api = await start('socket.io', {}, { secrets: ['a secret of the fleet'] });
    const token = await parties().client.sign({ sub: 'alice' });
    const socket = api.socketIo({ headers: await headersFor(token, '/live/') });
    const { data } = await new Promise<{ data: { errorCode: string; dpopNonce: string } }>((resolve) =>
      socket.on('connect_error', (error) => resolve(Object(error))),
    );
    expect(data.errorCode).toBe('AUTH_PROOF_NONCE_REQUIRED');
    const { dpopNonce: nonce } = data;
    const again = api.socketIo({ headers: await headersFor(token, '/live/', { nonce }) });
    expect(await emit(again, 'me')).toBe('alice@alice');
  });
});

function opened(socket: WebSocket): Promise<'open' | IncomingMessage> {
  return new Promise((resolve) => {
    socket.once('open', () => resolve('open'));
    socket.once('unexpected-response', (_, response) => resolve(response));
  });
}

function ask(socket: WebSocket, event: string): Promise<unknown> {
  const answer = new Promise((resolve) =>
    socket.once('message', (data: Buffer) => resolve(JSON.parse(data.toString('utf8')))),
  );
  socket.send(JSON.stringify({ event, data: null }));
  return answer;
}

/** The data of the event that comes back, or the refusal. */
function emit(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve) => {
    socket.once(event, resolve);
    socket.once('exception', resolve);
    socket.once('connect_error', (error) => resolve(Object(error).data));
    socket.emit(event);
  });
}
