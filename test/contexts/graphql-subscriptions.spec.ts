import type { Client, SubscribePayload } from 'graphql-ws';
import { ManualClock, TestIssuer } from 'nestjs-resilient-auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIssuer } from '../support/apps/start-api.js';
import { until } from '../support/clock/until.js';
import { GraphApi, graphServers, type GraphSettings } from '../support/graphql/graph-api.js';

const [apolloOnExpress, apolloOnFastify, mercurius] = graphServers;

interface Result {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly extensions?: Readonly<Record<string, unknown>> }[];
}

/** Runs one operation to its end; a refusal of the whole operation arrives as an error. */
function run(
  client: Client,
  payload: SubscribePayload,
): { readonly values: Result[]; readonly over: Promise<unknown> } {
  const values: Result[] = [];
  const over = new Promise((resolve) => {
    client.subscribe(payload, {
      next: (value) => values.push(value as Result),
      error: resolve,
      complete: () => resolve('complete'),
    });
  });
  return { values, over };
}

async function ask(client: Client, query: string): Promise<Result> {
  const { values, over } = run(client, { query });
  const end = await over;
  return values[0] ?? (Array.isArray(end) ? { errors: end } : {});
}

const codeOf = ({ errors }: Result) => errors?.[0]?.extensions?.['errorCode'];

describe.each([apolloOnExpress, apolloOnFastify].flatMap((server) => server ?? []))(
  'graphql-ws with $server',
  (server) => {
    let issuer: TestIssuer;
    let clock: ManualClock;
    beforeAll(async () => {
      clock = new ManualClock();
      issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256', clock });
    });
    afterAll(() => issuer.close());

    const start = (settings: GraphSettings = {}) =>
      GraphApi.start(server, issuer.options(), { clock, ...settings });

    it.each([
      ['authorization with its scheme', (token: string) => ({ authorization: `Bearer ${token}` })],
      ['a bare authorization', (token: string) => ({ authorization: token })],
      ['Authorization in capitals', (token: string) => ({ Authorization: `Bearer ${token}` })],
      ['headers.authorization', (token: string) => ({ headers: { authorization: `Bearer ${token}` } })],
    ])('[G8] answers with the user when connectionParams carry %s', async (_, parameters) => {
      const api = await start();
      const { client } = await api.connect(parameters(await issuer.sign({ sub: 'alice' })));
      expect(await ask(client, '{ me }')).toEqual({ data: { me: 'alice@alice' } });
    });

    it('[G8] answers with the user when the upgrade request carries the token', async () => {
      const api = await start();
      const authorization = `Bearer ${await issuer.sign({ sub: 'alice' })}`;
      const { client } = await api.connect(undefined, { authorization });
      expect(await ask(client, '{ me }')).toEqual({ data: { me: 'alice@alice' } });
      const same = await api.connect({ authorization }, { authorization });
      expect(await ask(same.client, '{ me }')).toEqual({ data: { me: 'alice@alice' } });
    });

    it('[G8] closes with AUTH_REQUEST_INVALID when two places carry different tokens', async () => {
      const api = await start();
      const [alice, bob] = await Promise.all([issuer.sign({ sub: 'alice' }), issuer.sign({ sub: 'bob' })]);
      const { client, closed } = await api.connect(
        { authorization: alice },
        { authorization: `Bearer ${bob}` },
      );
      await run(client, { query: '{ me }' }).over;
      expect(await closed).toMatchObject({ code: 4403, reason: 'AUTH_REQUEST_INVALID' });
    });

    it.each([
      [{ authorization: { token: 'x' } }],
      [{ authorization: 7 }],
      [{ headers: { authorization: ['a', 'b'] } }],
    ])('[G8] closes with AUTH_REQUEST_INVALID when the token is no string: %j', async (parameters) => {
      const api = await start();
      const { client, closed } = await api.connect(parameters);
      await run(client, { query: '{ me }' }).over;
      expect(await closed).toMatchObject({ code: 4403, reason: 'AUTH_REQUEST_INVALID' });
    });

    it('answers UNAUTHENTICATED on a connection without a token, and serves open resolvers', async () => {
      const api = await start();
      const { client } = await api.connect();
      expect(codeOf(await ask(client, '{ me }'))).toBe('AUTH_TOKEN_MISSING');
      expect(await ask(client, '{ open }')).toEqual({ data: { open: '{"user":null,"token":null}' } });
    });

    it('[G9] closes with 4403 and the errorCode when the token is bad', async () => {
      const api = await start();
      const { client, closed } = await api.connect({
        authorization: await issuer.sign({}, { expiresIn: '-1h' }),
      });
      await run(client, { query: '{ me }' }).over;
      expect(await closed).toMatchObject({ code: 4403, reason: 'AUTH_TOKEN_EXPIRED' });
    });

    it('[G9] closes with 1013 when the metadata is not available', async () => {
      const down = await startIssuer();
      const token = await down.sign({ sub: 'alice' });
      down.fail({ endpoint: 'all', mode: { status: 503 } });
      const options = down.options();
      const api = await GraphApi.start(server, {
        ...options,
        metadata: { ...options.metadata, refreshWait: 0 },
      });
      const { client, closed } = await api.connect({ authorization: token });
      await run(client, { query: '{ me }' }).over;
      expect(await closed).toMatchObject({ code: 1013, reason: 'AUTH_METADATA_UNAVAILABLE' });
    });

    it('[G10] completes a running subscription at exp, and rejects the next operation on the same connection', async () => {
      const api = await start();
      const { client } = await api.connect({
        authorization: await issuer.sign({ sub: 'alice' }, { expiresIn: '5m' }),
      });
      const { values, over } = run(client, { query: 'subscription { updates }' });
      await until(() => api.updates.size === 1);
      api.updates.publish(1);
      await until(() => values.length === 1);
      await clock.advance('4m');
      api.updates.publish(2);
      await until(() => values.length === 2);
      await clock.advance('2m');
      expect(await over).toBe('complete');
      expect(api.updates.size).toBe(0);
      expect(values).toEqual([{ data: { updates: 1 } }, { data: { updates: 2 } }]);
      expect(codeOf(await ask(client, '{ me }'))).toBe('AUTH_TOKEN_EXPIRED');
      expect(codeOf(await ask(client, 'subscription { updates }'))).toBe('AUTH_TOKEN_EXPIRED');
    });

    it('[G10] closes the connection at exp when onExpiry is close', async () => {
      const api = await start({ subscriptions: { onExpiry: 'close' } });
      const { client, closed } = await api.connect({
        authorization: await issuer.sign({}, { expiresIn: '5m' }),
      });
      run(client, { query: 'subscription { updates }' });
      await until(() => api.updates.size === 1);
      await clock.advance('6m');
      expect(await closed).toMatchObject({ code: 4403, reason: 'AUTH_TOKEN_EXPIRED' });
    });

    it('[G10] keeps the subscription at exp when onExpiry is keep', async () => {
      const api = await start({ subscriptions: { onExpiry: 'keep' } });
      const { client } = await api.connect({ authorization: await issuer.sign({}, { expiresIn: '5m' }) });
      const { values } = run(client, { query: 'subscription { updates }' });
      await until(() => api.updates.size === 1);
      await clock.advance('6m');
      api.updates.publish(1);
      await until(() => values.length === 1);
    });

    it('[G10] completes a running subscription when its key is withdrawn', async () => {
      const own = await startIssuer({ clock });
      const api = await GraphApi.start(server, own.options(), { clock });
      const { client } = await api.connect({ authorization: await own.sign({}) });
      const { over } = run(client, { query: 'subscription { updates }' });
      await until(() => api.updates.size === 1);
      await own.rotateKeys({ keepOld: false });
      const other = await api.connect({ authorization: await own.sign({ sub: 'bob' }) });
      expect(await ask(other.client, '{ me }')).toEqual({ data: { me: 'bob@bob' } });
      expect(await over).toBe('complete');
    });
  },
);

describe('graphql-ws with Mercurius', () => {
  let issuer: TestIssuer;
  beforeAll(async () => void (issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256' })));
  afterAll(() => issuer.close());

  const start = () => {
    if (!mercurius) throw new Error('Mercurius is the third server');
    return GraphApi.start(mercurius, issuer.options());
  };

  it('[G11] answers with the user when connection_init carries the token', async () => {
    const api = await start();
    const { client } = await api.connect({ authorization: `Bearer ${await issuer.sign({ sub: 'alice' })}` });
    expect(await ask(client, '{ me }')).toEqual({ data: { me: 'alice@alice' } });
    const { values } = run(client, { query: 'subscription { updates }' });
    await until(() => api.updates.size === 1);
    api.updates.publish(1);
    await until(() => values.length === 1);
  });

  it('[G11] rejects a token that differs from the one of the upgrade, after Mercurius copied it into headers, too', async () => {
    const api = await start();
    const [alice, bob] = await Promise.all([issuer.sign({ sub: 'alice' }), issuer.sign({ sub: 'bob' })]);
    const { client } = await api.connect(
      { authorization: `Bearer ${alice}` },
      { authorization: `Bearer ${bob}` },
    );
    expect(codeOf(await ask(client, '{ me }'))).toBe('AUTH_REQUEST_INVALID');
    expect(codeOf(await ask(client, 'subscription { updates }'))).toBe('AUTH_REQUEST_INVALID');
  });

  it('[G11] answers UNAUTHENTICATED when connection_init carries no token', async () => {
    const api = await start();
    const { client } = await api.connect({ 'x-user': 'alice' });
    expect(codeOf(await ask(client, '{ me }'))).toBe('AUTH_TOKEN_MISSING');
    expect(codeOf(await ask(client, 'subscription { updates }'))).toBe('AUTH_TOKEN_MISSING');
  });
});
