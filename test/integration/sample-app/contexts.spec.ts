import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { attachToken } from 'nestjs-resilient-auth/microservices';
import { lastValueFrom } from 'rxjs';
import { io, type Socket } from 'socket.io-client';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createApp } from '../../../sample-app/create-app.js';
import { listenForMessages } from '../../../sample-app/messages/listen-for-messages.js';
import { ordersCli } from '../../../sample-app/provider/clients.js';
import { startProvider, type EmbeddedProvider } from '../../../sample-app/provider/embedded-provider.js';
import { getToken } from '../../../sample-app/provider/get-token.js';
import { embeddedAudience } from '../../../sample-app/provider/provider-configuration.js';
import { trust } from '../../../sample-app/settings.js';

describe('the orders API beside HTTP', () => {
  let provider: EmbeddedProvider;
  let app: NestExpressApplication;
  let messagePort: number;
  let token: string;
  let readOnly: string;

  beforeAll(async () => {
    provider = await startProvider({ port: 0 });
    app = await createApp(trust(provider.issuer, embeddedAudience), { logger: false });
    await app.listen(0, '127.0.0.1');
    messagePort = await listenForMessages(app, 0);
    token = await getToken(provider.issuer, ordersCli);
    readOnly = await getToken(provider.issuer, ordersCli, ['orders:read']);
  });
  afterAll(async () => {
    await app.close();
    await provider.close();
  });

  const query = (text: string, accessToken?: string): request.Test => {
    const test = request(app.getHttpServer()).post('/graphql').send({ query: text });
    return accessToken === undefined ? test : test.set('Authorization', `Bearer ${accessToken}`);
  };
  const connect = async (accessToken?: string): Promise<Socket> => {
    const socket = io(await app.getUrl(), {
      path: '/live',
      auth: { token: accessToken },
      reconnection: false,
      forceNew: true,
    });
    onTestFinished(() => void socket.disconnect());
    return socket;
  };
  const next = (socket: Socket, event: string): Promise<unknown> =>
    new Promise((resolve) => socket.once(event, resolve));
  const send = async (pattern: string, data: object, accessToken?: string): Promise<unknown> => {
    const client = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port: messagePort },
    });
    if (accessToken !== undefined) attachToken(client, () => accessToken);
    try {
      return await lastValueFrom(client.send(pattern, data));
    } catch (error) {
      return error;
    } finally {
      client.close();
    }
  };
  const placeOver = 'mutation ($order: NewOrder!) { placeOrder(order: $order) { item placedBy } }';
  const place = (order: object, accessToken: string): request.Test =>
    request(app.getHttpServer())
      .post('/graphql')
      .set('Authorization', `Bearer ${accessToken}`)
      .send({ query: placeOver, variables: { order } });

  it('answers GraphQL queries and mutations when the token has the scope', async () => {
    const { body } = await query('{ orders { id item } }', token).expect(200);
    expect(body.data.orders).toContainEqual({ id: 1, item: 'coffee beans' });
    expect((await place({ item: 'milk', quantity: 2 }, token)).body).toEqual({
      data: { placeOrder: { item: 'milk', placedBy: 'orders-cli' } },
    });
    expect((await place({ item: 'milk', quantity: 0 }, token)).body.errors).toMatchObject([
      { path: ['placeOrder'] },
    ]);
  });

  it('rejects GraphQL operations without a token, and without the scope', async () => {
    expect((await query('{ orders { id } }')).body.errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED', errorCode: 'AUTH_TOKEN_MISSING' } },
    ]);
    expect((await place({ item: 'milk', quantity: 2 }, readOnly)).body.errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN', scope: 'orders:write' } },
    ]);
  });

  it('sends new orders over the WebSocket when the token has the scope', async () => {
    const socket = await connect(token);
    const placed = next(socket, 'orders.placed');
    await next(socket, 'connect');
    const isPlaced = placed.then(() => true);
    socket.emit('orders.watch');
    // The watch has no answer of its own: an order is placed until one arrives.
    for (let isOver = false; !isOver;) {
      await place({ item: 'tea', quantity: 1 }, token).expect(200);
      isOver = await Promise.race([isPlaced, new Promise<false>((resolve) => setImmediate(resolve, false))]);
    }
    expect(await placed).toMatchObject({ item: 'tea', placedBy: 'orders-cli' });
  });

  it('rejects the WebSocket without a token', async () => {
    const socket = await connect();
    expect(await next(socket, 'connect_error')).toMatchObject({ data: { errorCode: 'AUTH_TOKEN_MISSING' } });
  });

  it('answers messages over TCP when the token has the scope', async () => {
    expect(await send('orders.list', {}, token)).toContainEqual(
      expect.objectContaining({ id: 1, item: 'coffee beans' }),
    );
    expect(await send('orders.place', { item: 'sugar', quantity: 1 }, token)).toMatchObject({
      item: 'sugar',
      placedBy: 'orders-cli',
    });
  });

  it('rejects messages over TCP without a token, and without the scope', async () => {
    expect(await send('orders.list', {})).toMatchObject({ statusCode: 401, errorCode: 'AUTH_TOKEN_MISSING' });
    expect(await send('orders.place', { item: 'sugar', quantity: 1 }, readOnly)).toMatchObject({
      statusCode: 403,
      errorCode: 'AUTH_SCOPE_MISSING',
    });
  });
});
