import { Metadata } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import {
  ClientGrpcProxy,
  GrpcMethod,
  GrpcStreamCall,
  GrpcStreamMethod,
  Transport,
  type GrpcOptions,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { AuthModule, Authorized, CurrentUser } from 'nestjs-resilient-auth';
import { attachToken, microserviceContext } from 'nestjs-resilient-auth/microservices';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { fileURLToPath } from 'node:url';
import { from, lastValueFrom, map, of, toArray, type Observable } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startIssuer } from '../support/apps/start-api.js';
import { freePort } from '../support/brokers/free-port.js';

interface Order {
  readonly id: string;
}

interface Answer {
  readonly text: string;
}

interface Orders {
  me(order: Order, metadata?: Metadata): Observable<Answer>;
  write(order: Order, metadata?: Metadata): Observable<Answer>;
  watch(order: Order, metadata?: Metadata): Observable<Answer>;
  collect(orders: Observable<Order>, metadata?: Metadata): Observable<Answer>;
  chat(orders: Observable<Order>, metadata?: Metadata): Observable<Answer>;
  raw(orders: Observable<Order>, metadata?: Metadata): Observable<Answer>;
}

interface Duplex {
  on(event: 'data', listener: (order: Order) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  write(answer: Answer): unknown;
  end(): unknown;
}

@Authorized()
@Controller()
class OrdersController {
  @GrpcMethod('Orders', 'Me')
  me(_order: Order, @CurrentUser('sub') subject: unknown): Answer {
    return { text: String(subject) };
  }

  @Authorized({ scopes: ['orders:write'] })
  @GrpcMethod('Orders', 'Write')
  write({ id }: Order): Answer {
    return { text: id };
  }

  @GrpcMethod('Orders', 'Watch')
  watch({ id }: Order): Observable<Answer> {
    return of({ text: `${id}.1` }, { text: `${id}.2` });
  }

  @GrpcStreamMethod('Orders', 'Collect')
  collect(orders: Observable<Order>): Observable<Answer> {
    return orders.pipe(
      toArray(),
      map((all) => ({ text: all.map(({ id }) => id).join() })),
    );
  }

  @GrpcStreamMethod('Orders', 'Chat')
  chat(orders: Observable<Order>): Observable<Answer> {
    return orders.pipe(map(({ id }) => ({ text: id })));
  }

  @GrpcStreamCall('Orders', 'Raw')
  raw(call: Duplex): void {
    call.on('data', ({ id }) => call.write({ text: id }));
    call.on('end', () => call.end());
  }
}

/** What came with a refusal beside its status. */
function trailersOf(error: unknown): Metadata {
  if (error instanceof Error && 'metadata' in error && error.metadata instanceof Metadata)
    return error.metadata;
  throw new Error('There are no trailers');
}

const PROTO = fileURLToPath(new URL('../support/brokers/orders.proto', import.meta.url));

describe('gRPC methods', () => {
  let issuer: TestIssuer;
  beforeAll(async () => void (issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256' })));
  afterAll(() => issuer.close());

  async function start(options = issuer.options()) {
    const url = `127.0.0.1:${await freePort()}`;
    const grpc: GrpcOptions = {
      transport: Transport.GRPC,
      options: { url, package: 'orders', protoPath: PROTO },
    };
    const module = await Test.createTestingModule({
      imports: [AuthModule.forRoot({ ...options, contexts: [microserviceContext()] })],
      controllers: [OrdersController],
    }).compile();
    const app = module.createNestMicroservice({ ...grpc, logger: false });
    await app.listen();
    onTestFinished(() => app.close());
    return (token?: () => string): Orders => {
      const client = new ClientGrpcProxy(grpc.options);
      onTestFinished(() => client.close());
      if (token) attachToken(client, token);
      return client.getService<Orders>('Orders');
    };
  }

  const order = { id: '7' };
  const stream = () => from([{ id: '1' }, { id: '2' }]);
  const call = {
    unary: (orders: Orders) => orders.me(order),
    'server stream': (orders: Orders) => orders.watch(order),
    'client stream': (orders: Orders) => orders.collect(stream()),
    'bidirectional stream': (orders: Orders) => orders.chat(stream()),
    'bidirectional call': (orders: Orders) => orders.raw(stream()),
  };
  const expected = {
    unary: ['alice'],
    'server stream': ['7.1', '7.2'],
    'client stream': ['1,2'],
    'bidirectional stream': ['1', '2'],
    'bidirectional call': ['1', '2'],
  };
  const kinds = [
    'unary',
    'server stream',
    'client stream',
    'bidirectional stream',
    'bidirectional call',
  ] as const;
  const failureOf = (answers: Observable<Answer>): Promise<unknown> =>
    lastValueFrom(answers.pipe(toArray())).catch((error: unknown) => error);

  it.each(kinds)('[M3] answers when the metadata carries a good token: %s', async (kind) => {
    const connect = await start();
    const token = await issuer.sign({ sub: 'alice' });
    const answers = await lastValueFrom(call[kind](connect(() => token)).pipe(toArray()));
    expect(answers.map(({ text }) => text)).toEqual(expected[kind]);
  });

  it.each(kinds)('[M2][M3] answers UNAUTHENTICATED when the metadata carries none: %s', async (kind) => {
    const connect = await start();
    expect(await failureOf(call[kind](connect()))).toMatchObject({
      code: 16,
      details: 'Authentication is required',
    });
  });

  it('[M2] answers PERMISSION_DENIED with the errorCode in the trailers when a scope is missing', async () => {
    const connect = await start();
    const token = await issuer.sign({ sub: 'alice' });
    const error = await failureOf(connect(() => token).write(order));
    expect(error).toMatchObject({ code: 7 });
    expect(trailersOf(error).get('error-code')).toEqual(['AUTH_SCOPE_MISSING']);
    expect(JSON.stringify(trailersOf(error).getMap())).not.toContain(token);
  });

  it('[M2] answers INVALID_ARGUMENT when the metadata carries several words', async () => {
    const connect = await start();
    const orders = connect();
    const words = new Metadata();
    words.set('authorization', 'Bearer a b');
    expect(await failureOf(orders.me(order, words))).toMatchObject({ code: 3 });
  });

  it('[M2] answers UNAVAILABLE with retry-after when the token could not be checked', async () => {
    const down = await startIssuer();
    const token = await down.sign({ sub: 'alice' });
    down.fail({ endpoint: 'all', mode: { status: 503 } });
    const options = down.options();
    const connect = await start({ ...options, metadata: { ...options.metadata, refreshWait: 0 } });
    const error = await failureOf(connect(() => token).me(order));
    expect(error).toMatchObject({ code: 14 });
    expect(trailersOf(error).get('retry-after')[0]).toMatch(/^[1-9]\d*$/);
  });

  it.each(kinds)('answers an error of the server without its text when validate throws: %s', async (kind) => {
    const connect = await start({
      ...issuer.options(),
      validate: () => {
        throw new Error('secret of the database');
      },
    });
    const token = await issuer.sign({ sub: 'alice' });
    const error = await failureOf(call[kind](connect(() => token)));
    expect(error).toMatchObject({ code: kind === 'bidirectional call' ? 13 : 2 });
    expect(String(error)).not.toContain('secret');
  });

  it('[M4] answers UNAUTHENTICATED when only the message carries a token', async () => {
    const connect = await start();
    const message = { id: `Bearer ${await issuer.sign({ sub: 'alice' })}` };
    expect(await failureOf(connect().me(message))).toMatchObject({ code: 16 });
  });
});
