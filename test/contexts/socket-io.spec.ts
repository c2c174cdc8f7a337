import { WebSocketGateway, type OnGatewayInit } from '@nestjs/websockets';
import { SubscribeMessage } from '@nestjs/websockets';
import { Inject } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { AuthConfigurationError, Authorized, CurrentUser } from 'nestjs-resilient-auth';
import { TokenWatcher } from '../../lib/authentication/watch/token-watcher.js';
import { HandshakeAuthentication, type ProtectOptions } from 'nestjs-resilient-auth/websockets';
import { ManualClock, TestIssuer } from 'nestjs-resilient-auth/testing';
import type { Server } from 'socket.io';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIssuer } from '../support/apps/start-api.js';
import { until } from '../support/clock/until.js';
import { GatewayApi, OrdersGateway, type GatewaySettings } from '../support/apps/gateway-api.js';

type CreateOptions = Parameters<IoAdapter['createIOServer']>[1];

/** The first event of a name that a client receives. */
function next(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve) => socket.once(event, resolve));
}

async function ask(socket: Socket, event: string, data: unknown = null): Promise<unknown> {
  const answer = Promise.race([next(socket, event), next(socket, 'exception')]);
  socket.emit(event, data);
  return answer;
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

const connected = (socket: Socket) => Promise.race([next(socket, 'connect'), next(socket, 'connect_error')]);

@WebSocketGateway({ path: '/live' })
class Refusing implements OnGatewayInit {
  server: Server | undefined;

  afterInit(server: Server): void {
    this.server = server;
    server.use((socket, next) => next(socket.handshake.auth['blocked'] ? new Error('blocked') : undefined));
  }
}

@WebSocketGateway({ path: '/live' })
class PartlyGuarded {
  @Authorized()
  @SubscribeMessage('guarded')
  guarded(@CurrentUser('sub') subject: string): object {
    return { event: 'guarded', data: subject };
  }

  @SubscribeMessage('undecorated')
  undecorated(@CurrentUser('sub') subject: string | undefined): object {
    return { event: 'undecorated', data: subject ?? null };
  }
}

describe('a gateway on socket.io', () => {
  let clock: ManualClock;
  let issuer: TestIssuer;
  beforeAll(async () => {
    clock = new ManualClock();
    issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256', clock });
  });
  afterAll(() => issuer.close());

  const start = (settings: GatewaySettings = {}) =>
    GatewayApi.start('socket.io', issuer.options(), { clock, ...settings });

  it.each([
    ['no token', {}, 'AUTH_TOKEN_MISSING', 401],
    ['a malformed token', { token: 'a.b.c' }, 'AUTH_TOKEN_MALFORMED', 401],
    ['a token that is no string', { token: { a: 1 } }, 'AUTH_REQUEST_INVALID', 400],
  ])(
    '[W1] rejects the handshake when it carries %s, and calls no handleConnection',
    async (_, auth, errorCode, statusCode) => {
      const api = await start();
      const error = await connected(api.socketIo({ auth }));
      expect(error).toMatchObject({ data: { errorCode, statusCode } });
      expect(JSON.stringify(error)).not.toContain('a.b.c');
      expect(api.arrivals).toHaveLength(0);
    },
  );

  it('accepts the token of auth, with and without its scheme, and of the Authorization header', async () => {
    const api = await start();
    const token = await issuer.sign({ sub: 'alice' });
    for (const options of [
      { auth: { token } },
      { auth: { token: `Bearer ${token}` } },
      { headers: { authorization: `Bearer ${token}` } },
      { auth: { token }, headers: { authorization: `Bearer ${token}` } },
    ]) {
      const socket = api.socketIo(options);
      expect(await connected(socket)).toBeUndefined();
      expect(await ask(socket, 'me')).toBe('alice@alice');
    }
  });

  it('rejects the handshake when auth and header carry different tokens', async () => {
    const api = await start();
    const [alice, bob] = await Promise.all([issuer.sign({ sub: 'alice' }), issuer.sign({ sub: 'bob' })]);
    const socket = api.socketIo({ auth: { token: alice }, headers: { authorization: `Bearer ${bob}` } });
    expect(await connected(socket)).toMatchObject({ data: { errorCode: 'AUTH_REQUEST_INVALID' } });
  });

  it('[W2] rejects the handshake with retryAfter in an outage, and keeps open sockets served', async () => {
    const own = await startIssuer();
    const options = own.options();
    const api = await GatewayApi.start('socket.io', {
      ...options,
      metadata: { ...options.metadata, refreshWait: 0 },
    });
    const open = api.socketIo({ auth: { token: await own.sign({ sub: 'alice' }) } });
    await connected(open);
    await own.rotateKeys({ keepOld: true });
    const token = await own.sign({ sub: 'bob' });
    own.fail({ endpoint: 'all', mode: { status: 503 } });
    expect(await connected(api.socketIo({ auth: { token } }))).toMatchObject({
      data: { errorCode: 'AUTH_METADATA_UNAVAILABLE', statusCode: 503, retryAfter: 1 },
    });
    expect(await ask(open, 'me')).toBe('alice@alice');
  });

  it('[W3] accepts a token of a new key in the same handshake', async () => {
    const own = await startIssuer();
    const api = await GatewayApi.start('socket.io', own.options());
    await own.rotateKeys({ keepOld: false });
    const socket = api.socketIo({ auth: { token: await own.sign({ sub: 'bob' }) } });
    expect(await connected(socket)).toBeUndefined();
    expect(await ask(socket, 'me')).toBe('bob@bob');
  });

  it('[W4] rejects a message after exp with an exception object when onExpiry is refuse', async () => {
    const api = await start({ protect: { onExpiry: 'refuse' } });
    const socket = api.socketIo({ auth: { token: await issuer.sign({}, { expiresIn: '5m' }) } });
    await connected(socket);
    await clock.advance('6m');
    expect(await ask(socket, 'me', 'secret-message')).toEqual({
      status: 'error',
      statusCode: 401,
      errorCode: 'AUTH_TOKEN_EXPIRED',
      message: 'The access token has expired',
    });
    expect(socket.connected).toBe(true);
  });

  it('[W5] sends the exception and disconnects at exp without a message, and leaves no timer after close', async () => {
    const api = await start();
    const socket = api.socketIo({ auth: { token: await issuer.sign({}, { expiresIn: '5m' }) } });
    await connected(socket);
    const ends = Promise.all([next(socket, 'exception'), next(socket, 'disconnect')]);
    await clock.advance('6m');
    expect((await ends)[0]).toMatchObject({ errorCode: 'AUTH_TOKEN_EXPIRED' });
    const watcher = api.app.get(TokenWatcher);
    expect(watcher.size).toBe(0);
    const other = api.socketIo({ auth: { token: await issuer.sign({}, { expiresIn: '5m' }) } });
    await connected(other);
    expect(watcher.size).toBe(1);
    other.disconnect();
    await until(() => watcher.size === 0);
  });

  describe('[W6] with renewEvent', () => {
    const renewing = { protect: { renewEvent: 'auth:renew' } };
    const renew = (socket: Socket, token: unknown) =>
      socket.emitWithAck('auth:renew', token) as Promise<unknown>;

    it('moves the deadline when the same subject sends a newer token', async () => {
      const api = await start(renewing);
      const socket = api.socketIo({
        auth: { token: await issuer.sign({ sub: 'alice' }, { expiresIn: '5m' }) },
      });
      await connected(socket);
      expect(await renew(socket, await issuer.sign({ sub: 'alice' }, { expiresIn: '20m' }))).toEqual({
        status: 'ok',
      });
      await clock.advance('10m');
      expect(await ask(socket, 'me')).toBe('alice@alice');
      const gone = next(socket, 'disconnect');
      await clock.advance('11m');
      await gone;
    });

    it('keeps the connection when the renewal itself finds the old key withdrawn', async () => {
      const own = await startIssuer({ clock });
      const api = await GatewayApi.start('socket.io', own.options(), { clock, ...renewing });
      const claims = { sub: 'alice', exp: Math.floor(clock.now() / 1000) + 600 };
      const socket = api.socketIo({ auth: { token: await own.sign(claims) } });
      await connected(socket);
      await own.rotateKeys({ keepOld: false });
      expect(await renew(socket, await own.sign(claims))).toEqual({ status: 'ok' });
      expect(await ask(socket, 'me')).toBe('alice@alice');
    });

    it('disconnects when the old key is found withdrawn by a renewal that is refused', async () => {
      const own = await startIssuer({ clock });
      const api = await GatewayApi.start('socket.io', own.options(), { clock, ...renewing });
      const socket = api.socketIo({ auth: { token: await own.sign({ sub: 'alice' }) } });
      await connected(socket);
      const gone = next(socket, 'disconnect');
      await own.rotateKeys({ keepOld: false });
      socket.emit('auth:renew', await own.sign({ sub: 'alice' }, { header: { kid: 'unknown' } }));
      await gone;
    });

    it('ignores an older token', async () => {
      const api = await start(renewing);
      const socket = api.socketIo({
        auth: { token: await issuer.sign({ sub: 'alice' }, { expiresIn: '20m' }) },
      });
      await connected(socket);
      expect(await renew(socket, await issuer.sign({ sub: 'alice' }, { expiresIn: '5m' }))).toEqual({
        status: 'ok',
      });
      await clock.advance('10m');
      expect(await ask(socket, 'me')).toBe('alice@alice');
    });

    it('disconnects when another subject sends its token', async () => {
      const api = await start(renewing);
      const socket = api.socketIo({ auth: { token: await issuer.sign({ sub: 'alice' }) } });
      await connected(socket);
      const gone = next(socket, 'disconnect');
      socket.emit('auth:renew', await issuer.sign({ sub: 'bob' }, { expiresIn: '1h' }));
      await gone;
    });

    it.each([['a.b.c'], [null], [{ token: 1 }]])(
      'answers the error and keeps the old token when %j is sent',
      async (token) => {
        const api = await start(renewing);
        const socket = api.socketIo({ auth: { token: await issuer.sign({ sub: 'alice' }) } });
        await connected(socket);
        expect(await renew(socket, token)).toMatchObject({
          status: 'error',
          errorCode: expect.stringContaining('AUTH_'),
        });
        expect(await ask(socket, 'me')).toBe('alice@alice');
      },
    );
  });

  it('[W7] disconnects without a message when a refresh finds the key withdrawn', async () => {
    const own = await startIssuer();
    const api = await GatewayApi.start('socket.io', own.options());
    const socket = api.socketIo({ auth: { token: await own.sign({ sub: 'alice' }) } });
    await connected(socket);
    const gone = next(socket, 'disconnect');
    await own.rotateKeys({ keepOld: false });
    const other = api.socketIo({ auth: { token: await own.sign({ sub: 'bob' }) } });
    await connected(other);
    await gone;
    expect(other.connected).toBe(true);
  });

  it('[W8] disconnects a recovered socket whose token has expired, and keeps one whose token is good', async () => {
    class Recovering extends IoAdapter {
      override createIOServer(port: number, options?: CreateOptions) {
        if (!options) throw new Error('Nest passes the options of the gateway');
        return super.createIOServer(port, { ...options, connectionStateRecovery: { skipMiddlewares: true } });
      }
    }
    const configure: GatewaySettings['configure'] = (app) => app.useWebSocketAdapter(new Recovering(app));
    const api = await start({ configure, protect: { onExpiry: 'refuse' } });
    const [short, long] = await Promise.all([
      issuer.sign({ sub: 'alice' }, { expiresIn: '5m' }),
      issuer.sign({ sub: 'bob' }, { expiresIn: '1h' }),
    ]);
    const sockets: Socket[] = [];
    for (const token of [short, long]) {
      const socket = api.socketIo({ auth: { token } });
      sockets.push(socket);
      await connected(socket);
      // An answer gives the client the offset that recovery needs.
      await ask(socket, 'me');
      const lost = next(socket, 'disconnect');
      socket.io.engine.close();
      await lost;
    }
    await clock.advance('6m');
    const [alice, bob] = sockets;
    const refusal = alice && next(alice, 'exception');
    for (const socket of sockets) {
      socket.connect();
      await connected(socket);
      expect(socket.recovered).toBe(true);
    }
    expect(await refusal).toMatchObject({ errorCode: 'AUTH_TOKEN_EXPIRED' });
    expect(bob && (await ask(bob, 'me'))).toBe('bob@bob');
  });

  it('[W9] answers a refused message without its content', async () => {
    const api = await start();
    const socket = api.socketIo({ auth: { token: await issuer.sign({ sub: 'alice' }) } });
    await connected(socket);
    const refusal = await ask(socket, 'write', { secret: 'secret-message' });
    expect(refusal).toMatchObject({ errorCode: 'AUTH_SCOPE_MISSING', statusCode: 403 });
    expect(JSON.stringify(refusal)).not.toContain('secret-message');
    expect(socket.connected).toBe(true);
  });

  it('answers open handlers without a user, on an anonymous connection', async () => {
    const api = await start({ protect: { anonymous: true } });
    const socket = api.socketIo();
    await connected(socket);
    expect(await ask(socket, 'open')).toBeNull();
    expect(await ask(socket, 'me')).toMatchObject({ errorCode: 'AUTH_TOKEN_MISSING' });
    const bad = api.socketIo({ auth: { token: 'a.b.c' } });
    expect(await connected(bad)).toMatchObject({ data: { errorCode: 'AUTH_TOKEN_MALFORMED' } });
  });

  it('checks messages of a gateway whose handshake is not protected', async () => {
    const api = await start({ protect: false });
    const socket = api.socketIo();
    await connected(socket);
    expect(await ask(socket, 'me')).toMatchObject({ errorCode: 'AUTH_TOKEN_MISSING' });
    const other = api.socketIo({ auth: { token: await issuer.sign({ sub: 'alice' }) } });
    await connected(other);
    expect(await ask(other, 'me')).toBe('alice@alice');
  });

  it('[W10] rejects a handshake for a further namespace, and applies the requirements of each gateway', async () => {
    @Authorized({ roles: ['admin'] })
    @WebSocketGateway({ path: '/live', namespace: '/admin' })
    class AdminGateway implements OnGatewayInit {
      constructor(@Inject(HandshakeAuthentication) private readonly handshakes: HandshakeAuthentication) {}

      afterInit(server: object): void {
        this.handshakes.protect(server);
        this.handshakes.protect(server);
      }

      @SubscribeMessage('admin')
      admin(@CurrentUser('sub') subject: string): object {
        return { event: 'admin', data: subject };
      }
    }
    const api = await start({ gateways: [OrdersGateway, AdminGateway] });
    const token = await issuer.sign({ sub: 'alice' });
    const refused = api.socketIo({ namespace: '/admin' });
    expect(await connected(refused)).toMatchObject({ data: { errorCode: 'AUTH_TOKEN_MISSING' } });
    const socket = api.socketIo({ namespace: '/admin', auth: { token } });
    await connected(socket);
    expect(await ask(socket, 'admin')).toMatchObject({ errorCode: 'AUTH_ROLE_MISSING' });
    const orders = api.socketIo({ auth: { token } });
    await connected(orders);
    expect(await ask(orders, 'me')).toBe('alice@alice');
  });

  it('throws when two gateways of one server ask for different options', async () => {
    const refusals: unknown[] = [];
    function gatewayWith(options: ProtectOptions) {
      @Authorized()
      @WebSocketGateway({ path: '/live' })
      class Gateway implements OnGatewayInit {
        constructor(@Inject(HandshakeAuthentication) private readonly handshakes: HandshakeAuthentication) {}

        afterInit(server: object): void {
          try {
            this.handshakes.protect(server, options);
          } catch (error) {
            refusals.push(error);
          }
        }
      }
      return Gateway;
    }
    await start({ gateways: [gatewayWith({}), gatewayWith({ anonymous: true })] });
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toBeInstanceOf(AuthConfigurationError);
    expect(refusals[0]).toMatchObject({ message: expect.stringContaining('different values of anonymous') });
  });

  it('keeps no token of a client that leaves during its check, or that a later middleware refuses', async () => {
    const held = deferred();
    const arrived = deferred();
    const api = await GatewayApi.start(
      'socket.io',
      {
        ...issuer.options(),
        validate: async (claims) => {
          if (claims.sub !== 'slow') return claims;
          arrived.resolve();
          await held.promise;
          return claims;
        },
      },
      { clock, gateways: [OrdersGateway, Refusing] },
    );
    const watcher = api.app.get(TokenWatcher);
    const refused = api.socketIo({ auth: { token: await issuer.sign({ sub: 'blocked' }), blocked: true } });
    expect(await connected(refused)).toMatchObject({ message: 'blocked' });
    const leaving = api.socketIo({ auth: { token: await issuer.sign({ sub: 'slow' }) } });
    await arrived.promise;
    leaving.io.engine.close();
    const server = api.app.get(Refusing).server;
    await until(() => server?.engine.clientsCount === 0);
    held.resolve();
    const last = api.socketIo({ auth: { token: await issuer.sign({ sub: 'alice' }) } });
    await connected(last);
    expect(watcher.size).toBe(1);
  });

  it('[W6] keeps no token of a client that leaves during its renewal', async () => {
    const held = deferred();
    const arrived = deferred();
    const api = await GatewayApi.start(
      'socket.io',
      {
        ...issuer.options(),
        validate: async (claims) => {
          if (claims['renewal'] !== true) return claims;
          arrived.resolve();
          await held.promise;
          return claims;
        },
      },
      { clock, protect: { renewEvent: 'auth:renew' } },
    );
    const watcher = api.app.get(TokenWatcher);
    const socket = api.socketIo({
      auth: { token: await issuer.sign({ sub: 'alice' }, { expiresIn: '5m' }) },
    });
    await connected(socket);
    socket.emit('auth:renew', await issuer.sign({ sub: 'alice', renewal: true }, { expiresIn: '1h' }));
    await arrived.promise;
    socket.disconnect();
    await until(() => watcher.size === 0);
    held.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(watcher.size).toBe(0);
  });

  it('sets no user of an earlier message for a handler without a guard', async () => {
    const api = await start({ gateways: [OrdersGateway, PartlyGuarded], protect: { onExpiry: 'refuse' } });
    const socket = api.socketIo({
      auth: { token: await issuer.sign({ sub: 'alice' }, { expiresIn: '5m' }) },
    });
    await connected(socket);
    expect(await ask(socket, 'guarded')).toBe('alice');
    expect(await ask(socket, 'undecorated')).toBeNull();
    await clock.advance('6m');
    expect(await ask(socket, 'guarded')).toMatchObject({ errorCode: 'AUTH_TOKEN_EXPIRED' });
    expect(await ask(socket, 'undecorated')).toBeNull();
  });

  it('emits connect_error for each of a hundred clients without a token, and keeps none of them', async () => {
    const api = await start();
    const sockets = Array.from({ length: 100 }, () => api.socketIo());
    await Promise.all(sockets.map((socket) => next(socket, 'connect_error')));
    expect(api.app.get(TokenWatcher).size).toBe(0);
  });
});
