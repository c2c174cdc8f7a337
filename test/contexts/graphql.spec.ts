import { Logger } from '@nestjs/common';
import { Authenticator } from 'nestjs-resilient-auth';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startIssuer } from '../support/apps/start-api.js';
import { until } from '../support/clock/until.js';
import { GraphApi, graphServers } from '../support/graphql/graph-api.js';

/** Each authentication looks the token up once. */
function countAuthentications({ app }: GraphApi): () => number {
  const lookups = (): number => {
    const { hits = 0, misses = 0 } = app.get(Authenticator).cacheStatus() ?? {};
    return hits + misses;
  };
  const before = lookups();
  return () => lookups() - before;
}

describe.each(graphServers)('GraphQL over HTTP with $server', (server) => {
  let issuer: TestIssuer;
  beforeAll(async () => void (issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256' })));
  afterAll(() => issuer.close());

  const start = (options = {}, settings = {}) =>
    GraphApi.start(server, { ...issuer.options(), ...options }, settings);

  it('[G1] authenticates once and authorizes five times when three fields and two aliases share a token', async () => {
    const api = await start();
    const token = await issuer.sign({ sub: 'alice', scope: 'orders:write', roles: ['admin'] });
    const authentications = countAuthentications(api);
    const { data, errors } = await api.send('{ me writable admin second: me third: writable }', token);
    expect(errors).toEqual([]);
    expect(data).toEqual({
      me: 'alice@alice',
      writable: 'alice',
      admin: 'alice',
      second: 'alice@alice',
      third: 'alice',
    });
    expect(authentications()).toBe(1);
  });

  it('[G2] answers null and one FORBIDDEN error when a field lacks a scope', async () => {
    const api = await start();
    const { status, data, errors } = await api.send('{ me writable }', await issuer.sign({ sub: 'alice' }));
    expect(status).toBe(200);
    expect(data).toEqual({ me: 'alice@alice', writable: null });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({
      path: ['writable'],
      extensions: {
        code: 'FORBIDDEN',
        errorCode: 'AUTH_SCOPE_MISSING',
        statusCode: 403,
        scope: 'orders:write',
      },
    });
  });

  it.each([
    ['no token', undefined, 'UNAUTHENTICATED', 'AUTH_TOKEN_MISSING', 401],
    ['a bad token', 'a.b', 'UNAUTHENTICATED', 'AUTH_TOKEN_MALFORMED', 401],
    ['two words', 'a b', 'BAD_REQUEST', 'AUTH_REQUEST_INVALID', 400],
  ])(
    '[G6] answers in the same form with every driver when the request has %s',
    async (_, token, code, errorCode, statusCode) => {
      const api = await start();
      const { errors } = await api.send('{ me }', token);
      expect(errors).toHaveLength(1);
      expect(errors[0]?.extensions).toMatchObject({ code, errorCode, statusCode });
      const text = JSON.stringify(errors);
      expect(text).not.toContain('stacktrace');
      expect(text).not.toContain(token ?? 'Bearer');
    },
  );

  it('[G6] logs no error when an operation is refused', async () => {
    const error = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    onTestFinished(() => error.mockRestore());
    const api = await start();
    const answers = [await api.send('{ me }'), await api.send('{ me }', 'a.b')];
    expect(answers.flatMap(({ errors }) => errors)).toHaveLength(2);
    expect(error).not.toHaveBeenCalled();
  });

  it('[G6] answers SERVICE_UNAVAILABLE with the seconds to wait when the token could not be checked', async () => {
    const down = await startIssuer();
    const options = down.options();
    const api = await GraphApi.start(server, {
      ...options,
      metadata: { ...options.metadata, refreshWait: 0 },
    });
    await down.rotateKeys({ keepOld: true });
    const token = await down.sign({ sub: 'alice' });
    down.fail({ endpoint: 'all', mode: { status: 503 } });
    const { errors } = await api.send('{ me }', token);
    expect(errors[0]?.extensions).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      errorCode: 'AUTH_METADATA_UNAVAILABLE',
      statusCode: 503,
      retryAfter: 1,
    });
  });

  it('[G3] answers without a user on an open resolver of a protected class, with any token and none', async () => {
    const api = await start();
    for (const token of [undefined, 'a.b.c', await issuer.sign({ sub: 'alice' })]) {
      const { data, errors } = await api.send('{ open }', token);
      expect(errors).toEqual([]);
      expect(data).toEqual({ open: '{"user":null,"token":null}' });
    }
    const { data } = await api.send('{ me open }', await issuer.sign({ sub: 'alice' }));
    expect(data).toEqual({ me: 'alice@alice', open: '{"user":null,"token":null}' });
  });

  it('[G4] rejects field resolvers that lack a scope, and checks one signature for a list of a thousand items', async () => {
    const api = await start();
    const refused = await api.send('{ orders(count: 2) { id secret } }', await issuer.sign({ sub: 'alice' }));
    expect(refused.data).toEqual({
      orders: [
        { id: 0, secret: null },
        { id: 1, secret: null },
      ],
    });
    expect(refused.errors.map(({ extensions }) => extensions['errorCode'])).toEqual([
      'AUTH_SCOPE_MISSING',
      'AUTH_SCOPE_MISSING',
    ]);
    const token = await issuer.sign({ sub: 'alice', scope: 'orders:secret' });
    const authentications = countAuthentications(api);
    const { data, errors } = await api.send('{ orders(count: 1000) { secret } }', token);
    expect(errors).toEqual([]);
    expect(data?.['orders']).toHaveLength(1000);
    expect(authentications()).toBe(1);
  });

  it('[G12] authenticates a batch once and authorizes each of its operations', async () => {
    const api = await start();
    const token = await issuer.sign({ sub: 'alice' });
    const authentications = countAuthentications(api);
    const { body } = await api.post([{ query: '{ me }' }, { query: '{ writable }' }], token);
    expect(body[0].data).toEqual({ me: 'alice@alice' });
    expect(body[1].errors[0].extensions.errorCode).toBe('AUTH_SCOPE_MISSING');
    expect(authentications()).toBe(1);
  });

  it('[G13] resolves request-scoped policies for each operation', async () => {
    const api = await start();
    const token = await issuer.sign({ sub: 'alice', tenant: 'shop' });
    expect((await api.send('{ tenant }', token, { 'x-tenant': 'shop' })).data).toEqual({ tenant: 'shop' });
    expect(
      (await api.send('{ tenant }', token, { 'x-tenant': 'other' })).errors[0]?.extensions,
    ).toMatchObject({
      errorCode: 'AUTH_POLICY_REFUSED',
    });
  });

  it('[G7] answers no caller as another when requests share one context object', async () => {
    const shared: Record<string, unknown> = {};
    const api = await start({}, { context: () => shared });
    const [alice, bob] = await Promise.all([issuer.sign({ sub: 'alice' }), issuer.sign({ sub: 'bob' })]);
    const first = await api.send('{ me }', alice);
    const second = await api.send('{ me }', bob);
    expect(first.data).toEqual({ me: 'alice@alice' });
    // Mercurius passes on the object itself, which has had the request of another caller.
    expect(second.data).toEqual({ me: server.driver === 'mercurius' ? null : 'bob@bob' });
    expect(JSON.stringify(second)).not.toContain('alice');
  });

  it('[G7] answers an error when the context carries the request of an earlier caller', async () => {
    let kept: unknown;
    const api = await start(
      {},
      { context: (request: { req?: object }) => ({ req: (kept ??= request.req ?? request) }) },
    );
    const [alice, bob] = await Promise.all([issuer.sign({ sub: 'alice' }), issuer.sign({ sub: 'bob' })]);
    expect((await api.send('{ me }', alice)).data).toEqual({ me: 'alice@alice' });
    const { data, errors } = await api.send('{ me }', bob);
    expect(data).toEqual({ me: null });
    expect(errors[0]?.extensions).toMatchObject({ errorCode: 'AUTH_CONFIGURATION_INVALID', statusCode: 500 });
  });

  it('[G7] answers an error when the context carries the request of a caller that is not answered yet', async () => {
    let arrived = (): void => undefined;
    let release = (): void => undefined;
    const isPending = new Promise<void>((resolve) => (arrived = resolve));
    const isReleased = new Promise<void>((resolve) => (release = resolve));
    let kept: unknown;
    let contexts = 0;
    const api = await start(
      {
        validate: async (claims: object) => {
          arrived();
          await isReleased;
          return claims;
        },
      },
      {
        context: (request: { req?: object }) => {
          contexts++;
          return { req: (kept ??= request.req ?? request) };
        },
      },
    );
    const [alice, bob] = await Promise.all([issuer.sign({ sub: 'alice' }), issuer.sign({ sub: 'bob' })]);
    const first = api.send('{ me }', alice);
    await isPending;
    const second = api.send('{ me }', bob);
    await until(() => contexts === 2);
    await new Promise((resolve) => setImmediate(resolve));
    release();
    expect((await first).data).toEqual({ me: 'alice@alice' });
    expect(JSON.stringify(await second)).not.toContain('alice');
    expect((await second).errors[0]?.extensions).toMatchObject({ errorCode: 'AUTH_CONFIGURATION_INVALID' });
  });

  it('[G7] answers an error when a context of the application names no request', async () => {
    const api = await start({}, { context: () => ({ req: { headers: { authorization: 'Bearer x' } } }) });
    const { errors } = await api.send('{ me }', await issuer.sign({ sub: 'alice' }));
    expect(errors[0]?.extensions).toMatchObject({ errorCode: 'AUTH_CONFIGURATION_INVALID' });
  });
});
