import { Controller, type INestMicroservice } from '@nestjs/common';
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  MqttRecordBuilder,
  NatsRecordBuilder,
  Payload,
  RmqRecordBuilder,
  Transport,
  type ClientOptions,
  type ClientProxy,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import { headers as natsHeaders } from '@nats-io/transport-node';
import { Test } from '@nestjs/testing';
import {
  AllowAnonymous,
  AuthModule,
  Authorized,
  CurrentToken,
  CurrentUser,
  type AuthenticatedToken,
} from 'nestjs-resilient-auth';
import {
  attachToken,
  microserviceContext,
  type MicroserviceContextOptions,
} from 'nestjs-resilient-auth/microservices';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { randomUUID } from 'node:crypto';
import { lastValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { BROKERS, hasBroker, type Broker } from '../support/brokers/brokers.js';
import { freePort } from '../support/brokers/free-port.js';
import { until } from '../support/clock/until.js';

/** Events that reached a handler. */
const handled: unknown[] = [];

function controllerFor(prefix: string) {
  @Authorized()
  @Controller()
  class OrdersController {
    @MessagePattern(`${prefix}.me`)
    me(@CurrentUser('sub') subject: string, @CurrentToken() token: AuthenticatedToken): string {
      return `${subject}@${token.claims.sub}`;
    }

    @Authorized({ scopes: ['orders:write'] })
    @MessagePattern(`${prefix}.write`)
    write(@Payload() data: unknown): unknown {
      return data;
    }

    @AllowAnonymous()
    @MessagePattern(`${prefix}.open`)
    open(@CurrentUser() user: unknown): string {
      return JSON.stringify(user ?? null);
    }

    @EventPattern(`${prefix}.created`)
    created(@Payload() data: unknown, @CurrentUser('sub') subject: unknown): void {
      handled.push([subject, data]);
    }
  }
  return OrdersController;
}

interface Wire {
  readonly name: string;
  readonly broker?: Broker;
  /** Whether any sender can write headers; TCP and Redis carry metadata that Nest's clients attach. */
  readonly hasHeaders: boolean;
  readonly options: (id: string) => Promise<MicroserviceOptions & ClientOptions>;
  /** A message with a header as another sender would write it. */
  readonly withHeader: (data: unknown, value: unknown) => unknown;
  /** Values that a header of this transport can have and that are no credentials. */
  readonly otherKinds: readonly unknown[];
  /** Characters of a token that reaches the parser: at most 262,144 with the scheme, or what the broker forwards. */
  readonly longest: number;
}

/** Typed as the builders want it, and of any kind. */
function header(value: unknown): Record<string, string> {
  return JSON.parse(JSON.stringify({ Authorization: value }));
}

const wires: readonly Wire[] = [
  {
    name: 'TCP',
    hasHeaders: false,
    options: async () => ({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port: await freePort() },
    }),
    withHeader: (data) => data,
    otherKinds: [],
    longest: 0,
  },
  {
    name: 'Redis',
    hasHeaders: false,
    broker: 'redis',
    options: async () => ({
      transport: Transport.REDIS,
      options: { host: '127.0.0.1', port: BROKERS.redis },
    }),
    withHeader: (data) => data,
    otherKinds: [],
    longest: 0,
  },
  {
    name: 'NATS',
    hasHeaders: true,
    broker: 'nats',
    options: async () => ({
      transport: Transport.NATS,
      options: { servers: [`nats://127.0.0.1:${BROKERS.nats}`] },
    }),
    withHeader: (data, value) => {
      const headers = natsHeaders();
      headers.set('Authorization', String(value));
      return new NatsRecordBuilder(data).setHeaders(headers).build();
    },
    otherKinds: [`Bearer ${'x'.repeat(262_138)}`, 'x'.repeat(998_000)],
    longest: 262_137,
  },
  {
    name: 'RabbitMQ',
    hasHeaders: true,
    broker: 'rabbitmq',
    options: async (id) => ({
      transport: Transport.RMQ,
      options: {
        urls: [`amqp://guest:guest@127.0.0.1:${BROKERS.rabbitmq}`],
        queue: id,
        queueOptions: { autoDelete: true, durable: false },
      },
    }),
    withHeader: (data, value) => new RmqRecordBuilder(data).setOptions({ headers: header(value) }).build(),
    otherKinds: [{ a: 1 }, ['Bearer x', 'Bearer y'], 7],
    longest: 20_000,
  },
  {
    name: 'MQTT',
    hasHeaders: true,
    broker: 'mqtt',
    options: async () => ({
      transport: Transport.MQTT,
      options: { url: `mqtt://127.0.0.1:${BROKERS.mqtt}`, protocolVersion: 5 },
    }),
    withHeader: (data, value) =>
      new MqttRecordBuilder(data).setProperties({ userProperties: header(value) }).build(),
    otherKinds: [['Bearer x', 'Bearer y']],
    longest: 60_000,
  },
];

for (const wire of wires) {
  const isThere = wire.broker === undefined || (await hasBroker(wire.broker));
  describe.skipIf(!isThere)(`message handlers over ${wire.name}`, () => {
    let issuer: TestIssuer;
    beforeAll(async () => void (issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256' })));
    afterAll(() => issuer.close());

    async function start(context: MicroserviceContextOptions = {}) {
      const id = `orders-${randomUUID()}`;
      const options = await wire.options(id);
      const module = await Test.createTestingModule({
        imports: [AuthModule.forRoot({ ...issuer.options(), contexts: [microserviceContext(context)] })],
        controllers: [controllerFor(id)],
      }).compile();
      const app: INestMicroservice = module.createNestMicroservice({ ...options, logger: false });
      await app.listen();
      const connect = (token?: () => string): ClientProxy => {
        const client = ClientProxyFactory.create(options);
        if (token) attachToken(client, token);
        onTestFinished(() => client.close());
        return client;
      };
      onTestFinished(() => app.close());
      const ask = async (client: ClientProxy, message: string, data: unknown = {}): Promise<unknown> =>
        lastValueFrom(client.send(`${id}.${message}`, data)).catch((error: unknown) => error);
      return { id, connect, ask };
    }

    it('[M1] [M7] calls the handler with the user when the client attaches a good token', async () => {
      const { connect, ask } = await start();
      const token = await issuer.sign({ sub: 'alice', scope: 'orders:write' });
      const client = connect(() => token);
      expect(await ask(client, 'me')).toBe('alice@alice');
      expect(await ask(client, 'write', { id: 7 })).toEqual({ id: 7 });
    });

    it('[M1] answers status, statusCode and errorCode when a message carries no token, or lacks a scope', async () => {
      const { connect, ask } = await start();
      expect(await ask(connect(), 'me')).toEqual({
        status: 'error',
        statusCode: 401,
        message: 'Authentication is required',
        errorCode: 'AUTH_TOKEN_MISSING',
      });
      const token = await issuer.sign({ sub: 'alice' });
      expect(
        await ask(
          connect(() => token),
          'write',
          { secret: 'payload' },
        ),
      ).toMatchObject({
        statusCode: 403,
        errorCode: 'AUTH_SCOPE_MISSING',
      });
      expect(
        await ask(
          connect(() => 'a.b.c'),
          'me',
        ),
      ).toMatchObject({ statusCode: 401, errorCode: 'AUTH_TOKEN_MALFORMED' });
      expect(await ask(connect(), 'open')).toBe('null');
    });

    it('[M1] accepts a token of a new key in the same message', async () => {
      const { connect, ask } = await start();
      await issuer.rotateKeys({ keepOld: false });
      const token = await issuer.sign({ sub: 'bob' });
      expect(
        await ask(
          connect(() => token),
          'me',
        ),
      ).toBe('bob@bob');
    });

    it('[M4] answers 401 when only the payload carries credentials', async () => {
      const { connect, ask } = await start();
      const token = await issuer.sign({ sub: 'alice' });
      const client = connect();
      for (const data of [
        { headers: { authorization: `Bearer ${token}` } },
        { user: { sub: 'alice' } },
        { metadata: { authorization: `Bearer ${token}` } },
        { properties: { headers: { authorization: `Bearer ${token}` } } },
        { authorization: `Bearer ${token}` },
      ]) {
        expect(await ask(client, 'me', data)).toMatchObject({ errorCode: 'AUTH_TOKEN_MISSING' });
      }
    });

    it('reads the payload when the application asks for it', async () => {
      const { connect, ask } = await start({
        payload: (data) =>
          typeof data === 'object' && data !== null && 'token' in data ? String(data.token) : null,
      });
      const token = await issuer.sign({ sub: 'alice' });
      expect(await ask(connect(), 'me', { token })).toBe('alice@alice');
      expect(await ask(connect(), 'me', {})).toMatchObject({ errorCode: 'AUTH_TOKEN_MISSING' });
    });

    it('[M5] skips an event without a good token', async () => {
      const { id, connect } = await start();
      const token = await issuer.sign({ sub: 'alice' });
      await lastValueFrom(connect().emit(`${id}.created`, { number: 1 }), { defaultValue: undefined });
      const client = connect(() => token);
      await lastValueFrom(client.emit(`${id}.created`, { number: 2, id }), { defaultValue: undefined });
      await until(() => handled.some((entry) => JSON.stringify(entry).includes(id)));
      expect(JSON.stringify(handled)).not.toContain('"number":1');
    });

    describe.skipIf(!wire.hasHeaders)('with headers', () => {
      it('reads the header in any case, as another sender writes it', async () => {
        const { connect, ask } = await start();
        const token = await issuer.sign({ sub: 'alice' });
        expect(await ask(connect(), 'me', wire.withHeader({}, `Bearer ${token}`))).toBe('alice@alice');
      });

      it('[M6] answers AUTH_REQUEST_INVALID when the header is of another kind or a megabyte long, and AUTH_TOKEN_MALFORMED when its token is too long', async () => {
        const { connect, ask } = await start();
        const client = connect();
        for (const value of wire.otherKinds) {
          expect(await ask(client, 'me', wire.withHeader({}, value))).toMatchObject({
            statusCode: 400,
            errorCode: 'AUTH_REQUEST_INVALID',
          });
        }
        const long = `Bearer ${'x'.repeat(wire.longest)}`;
        expect(await ask(client, 'me', wire.withHeader({}, long))).toMatchObject({
          statusCode: 401,
          errorCode: 'AUTH_TOKEN_MALFORMED',
        });
        const token = await issuer.sign({ sub: 'alice' });
        expect(await ask(client, 'me', wire.withHeader({}, `Bearer ${token}`))).toBe('alice@alice');
      });
    });
  });
}
