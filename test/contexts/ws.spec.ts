import { ManualClock, TestIssuer } from 'nestjs-resilient-auth/testing';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { TokenWatcher } from '../../lib/authentication/watch/token-watcher.js';
import { startIssuer } from '../support/apps/start-api.js';
import { GatewayApi, type GatewaySettings } from '../support/apps/gateway-api.js';

interface Message {
  readonly event: string;
  readonly data: unknown;
}

function nextMessage(socket: WebSocket): Promise<Message> {
  return new Promise((resolve) =>
    socket.once('message', (data: Buffer) => resolve(JSON.parse(data.toString('utf8')))),
  );
}

function ask(socket: WebSocket, event: string, data: unknown = null): Promise<Message> {
  const answer = nextMessage(socket);
  socket.send(JSON.stringify({ event, data }));
  return answer;
}

function opened(socket: WebSocket): Promise<'open' | IncomingMessage> {
  return new Promise((resolve) => {
    socket.once('open', () => resolve('open'));
    socket.once('unexpected-response', (_, response) => resolve(response));
  });
}

function closed(socket: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
}

describe('a gateway on ws', () => {
  let clock: ManualClock;
  let issuer: TestIssuer;
  beforeAll(async () => {
    clock = new ManualClock();
    issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256', clock });
  });
  afterAll(() => issuer.close());

  const start = (settings: GatewaySettings = {}) =>
    GatewayApi.start('ws', issuer.options(), { clock, ...settings });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  it.each([
    ['no token', {}, 401, 'Bearer'],
    ['a malformed token', { authorization: 'Bearer a.b.c' }, 401, 'Bearer error="invalid_token"'],
    ['two words', { authorization: 'Bearer a b' }, 400, 'Bearer error="invalid_request"'],
  ])('[W1] answers the upgrade on the wire when it carries %s', async (_, headers, status, challenge) => {
    const api = await start();
    const response = await opened(api.ws(headers));
    expect(response).toMatchObject({ statusCode: status });
    expect(response === 'open' ? '' : response.headers['www-authenticate']).toContain(challenge);
    expect(api.arrivals).toHaveLength(0);
  });

  it('[W2] answers the upgrade 503 with Retry-After in an outage, and keeps open sockets served', async () => {
    const own = await startIssuer();
    const options = own.options();
    const api = await GatewayApi.start('ws', {
      ...options,
      metadata: { ...options.metadata, refreshWait: 0 },
    });
    const open = api.ws(bearer(await own.sign({ sub: 'alice' })));
    expect(await opened(open)).toBe('open');
    await own.rotateKeys({ keepOld: true });
    const token = await own.sign({ sub: 'bob' });
    own.fail({ endpoint: 'all', mode: { status: 503 } });
    const response = await opened(api.ws(bearer(token)));
    expect(response).toMatchObject({ statusCode: 503 });
    expect(response === 'open' ? '' : response.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(await ask(open, 'me')).toEqual({ event: 'me', data: 'alice@alice' });
  });

  it('[W3] accepts a token of a new key in the same handshake', async () => {
    const own = await startIssuer();
    const api = await GatewayApi.start('ws', own.options());
    await own.rotateKeys({ keepOld: false });
    const socket = api.ws(bearer(await own.sign({ sub: 'bob' })));
    expect(await opened(socket)).toBe('open');
    expect(await ask(socket, 'me')).toEqual({ event: 'me', data: 'bob@bob' });
  });

  it('reads the subprotocol when protocol is true, and not otherwise', async () => {
    const token = await issuer.sign({ sub: 'alice' });
    const asked = await start({ protect: { protocol: true } });
    const socket = asked.ws({}, ['orders.v1', `bearer.${token}`]);
    expect(await opened(socket)).toBe('open');
    expect(await ask(socket, 'me')).toEqual({ event: 'me', data: 'alice@alice' });
    const notAsked = await start();
    expect(await opened(notAsked.ws({}, ['orders.v1', `bearer.${token}`]))).toMatchObject({
      statusCode: 401,
    });
  });

  it('rejects a token in the query string', async () => {
    const api = await start();
    const token = await issuer.sign({ sub: 'alice' });
    const { WebSocket: Client } = await import('ws');
    const socket = new Client(`ws://127.0.0.1:${api.port}/live?access_token=${token}&token=${token}`);
    socket.on('error', () => undefined);
    expect(await opened(socket)).toMatchObject({ statusCode: 401 });
  });

  it('[W4] rejects a message after exp with an exception object when onExpiry is refuse', async () => {
    const api = await start({ protect: { onExpiry: 'refuse' } });
    const socket = api.ws(bearer(await issuer.sign({}, { expiresIn: '5m' })));
    await opened(socket);
    await clock.advance('6m');
    expect(await ask(socket, 'me', 'secret-message')).toEqual({
      event: 'exception',
      data: {
        status: 'error',
        statusCode: 401,
        errorCode: 'AUTH_TOKEN_EXPIRED',
        message: 'The access token has expired',
      },
    });
    expect(socket.readyState).toBe(socket.OPEN);
  });

  it('[W5] closes at exp without a message, with the errorCode as reason', async () => {
    const api = await start();
    const socket = api.ws(bearer(await issuer.sign({}, { expiresIn: '5m' })));
    await opened(socket);
    const end = closed(socket);
    await clock.advance('6m');
    expect(await end).toEqual({ code: 4401, reason: 'AUTH_TOKEN_EXPIRED' });
    expect(api.app.get(TokenWatcher).size).toBe(0);
  });

  it('[W6] moves the deadline when the same subject renews, and closes for another subject', async () => {
    const api = await start({ protect: { renewEvent: 'auth:renew' } });
    const socket = api.ws(bearer(await issuer.sign({ sub: 'alice' }, { expiresIn: '5m' })));
    await opened(socket);
    const renewal = await issuer.sign({ sub: 'alice' }, { expiresIn: '20m' });
    socket.send(JSON.stringify({ event: 'auth:renew', data: renewal }));
    expect(await ask(socket, 'me')).toEqual({ event: 'me', data: 'alice@alice' });
    await clock.advance('10m');
    expect(await ask(socket, 'me')).toEqual({ event: 'me', data: 'alice@alice' });
    expect(await ask(socket, 'auth:renew', 'a.b.c')).toMatchObject({
      event: 'exception',
      data: { errorCode: 'AUTH_TOKEN_MALFORMED' },
    });
    const end = closed(socket);
    const other = await issuer.sign({ sub: 'bob' }, { expiresIn: '1h' });
    socket.send(JSON.stringify({ event: 'auth:renew', data: other }));
    expect(await end).toEqual({ code: 4401, reason: 'AUTH_TOKEN_REJECTED' });
  });

  it('[W7] closes without a message when a refresh finds the key withdrawn', async () => {
    const own = await startIssuer();
    const api = await GatewayApi.start('ws', own.options());
    const socket = api.ws(bearer(await own.sign({ sub: 'alice' })));
    await opened(socket);
    const end = closed(socket);
    await own.rotateKeys({ keepOld: false });
    expect(await opened(api.ws(bearer(await own.sign({ sub: 'bob' }))))).toBe('open');
    expect(await end).toEqual({ code: 4401, reason: 'AUTH_TOKEN_SIGNATURE_INVALID' });
  });

  it('[W9] answers a refused message without its content', async () => {
    const api = await start();
    const socket = api.ws(bearer(await issuer.sign({ sub: 'alice' })));
    await opened(socket);
    const refusal = await ask(socket, 'write', { secret: 'secret-message' });
    expect(refusal).toMatchObject({ event: 'exception', data: { errorCode: 'AUTH_SCOPE_MISSING' } });
    expect(JSON.stringify(refusal)).not.toContain('secret-message');
  });

  it('answers AUTH_CONFIGURATION_INVALID for messages when the server is not protected', async () => {
    const api = await start({ protect: false });
    const socket = api.ws(bearer(await issuer.sign({ sub: 'alice' })));
    await opened(socket);
    expect(await ask(socket, 'me')).toMatchObject({ data: { errorCode: 'AUTH_CONFIGURATION_INVALID' } });
    expect(await ask(socket, 'open')).toEqual({ event: 'open', data: null });
  });
});
