import { context, trace, type Attributes } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { Authenticator, TokenError, type AuthExtension } from 'nestjs-resilient-auth';
import { openTelemetry } from 'nestjs-resilient-auth/opentelemetry';
import { ManualClock, type TestIssuer, type TestIssuerModuleOptions } from 'nestjs-resilient-auth/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { platforms } from '../support/apps/platforms.js';
import { startApi, startIssuer } from '../support/apps/start-api.js';
import { PUBLIC_URL, startDpopApi } from '../support/dpop/dpop-api.js';

/** An SDK in memory: what a reader collects, and the spans that have ended. */
class Telemetry {
  readonly #exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly #spans = new InMemorySpanExporter();
  readonly meterProvider = new MeterProvider({
    readers: [
      new PeriodicExportingMetricReader({ exporter: this.#exporter, exportIntervalMillis: 2_147_483_647 }),
    ],
  });
  readonly tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(this.#spans)],
  });

  constructor() {
    onTestFinished(async () => {
      await this.meterProvider.shutdown();
      await this.tracerProvider.shutdown();
    });
  }

  get extension(): AuthExtension {
    return openTelemetry(this);
  }

  get spans(): readonly ReadableSpan[] {
    return this.#spans.getFinishedSpans();
  }

  async collect(): Promise<readonly MetricData[]> {
    this.#exporter.reset();
    await this.meterProvider.forceFlush();
    return this.#exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .filter(({ scope }) => scope.name === 'nestjs-resilient-auth')
      .flatMap(({ metrics }) => metrics);
  }

  /** The points of one instrument: its attributes, and its value or how often it was recorded. */
  async points(name: string): Promise<readonly (readonly [Attributes, number])[]> {
    const metric = (await this.collect()).find(({ descriptor }) => descriptor.name === name);
    if (!metric) return [];
    if (metric.dataPointType === DataPointType.HISTOGRAM)
      return metric.dataPoints.map(({ attributes, value }) => [attributes, value.count]);
    if (metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) return [];
    return metric.dataPoints.map(({ attributes, value }) => [attributes, value]);
  }
}

const AUTHENTICATIONS = 'resilient_auth.authentications';
const DURATION = 'resilient_auth.authentication.duration';
const REFRESH = 'resilient_auth.metadata.refresh.duration';

async function start(
  options: Partial<TestIssuerModuleOptions> = {},
  clock?: ManualClock,
  platform: (typeof platforms)[number] = platforms[0],
) {
  const telemetry = new Telemetry();
  const issuer = await startIssuer({ name: 'main', ...(clock && { clock }) });
  const extensions = [...(options.extensions ?? []), telemetry.extension];
  const api = await startApi(
    platform.create,
    { ...issuer.options({ ...options, extensions }) },
    { ...(clock && { clock }) },
  );
  return { telemetry, issuer, api };
}

const gauge = async (telemetry: Telemetry, name: string) =>
  (await telemetry.points(`resilient_auth.metadata.${name}`)).map(([, value]) => value);

/** Spans find their parents, as with the SDK of Node. */
function useContexts(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  onTestFinished(() => context.disable());
}

describe.each(platforms)('openTelemetry() on $platform', (platform) => {
  it('[E3] counts accepted tokens by issuer and cache, and measures those that were verified, when they are good', async () => {
    const { telemetry, issuer, api } = await start({}, undefined, platform);
    const token = await issuer.sign({ sub: 'alice' });
    for (let i = 0; i < 5; i++) await api.get('/orders', token).expect(200);
    const accepted = { outcome: 'accepted', issuer: 'main' };
    expect(await telemetry.points(AUTHENTICATIONS)).toEqual([
      [{ ...accepted, cache: 'hit' }, 4],
      [{ ...accepted, cache: 'miss' }, 1],
    ]);
    expect(await telemetry.points(DURATION)).toEqual([[accepted, 1]]);
  });

  it('[E3] counts refusals by error code, and by the context that answered, when tokens are bad', async () => {
    const { telemetry, issuer, api } = await start({}, undefined, platform);
    const expired = Math.floor(Date.now() / 1000) - 3600;
    await api.get('/orders').expect(401);
    await api.get('/orders', 'no-token').expect(401);
    await api.get('/orders', await issuer.sign({ exp: expired })).expect(401);
    await api.get('/orders/audit', await issuer.sign({ sub: 'alice' })).expect(403);
    const refused = (type: string, more: object = {}) => [
      { outcome: 'refused', 'error.type': type, ...more, cache: 'miss' },
      1,
    ];
    expect(await telemetry.points(AUTHENTICATIONS)).toEqual([
      refused('AUTH_TOKEN_MISSING'),
      refused('AUTH_TOKEN_MALFORMED'),
      refused('AUTH_TOKEN_EXPIRED', { issuer: 'main' }),
      [{ outcome: 'accepted', issuer: 'main', cache: 'miss' }, 1],
    ]);
    expect(await telemetry.points('resilient_auth.contexts.refused')).toEqual(
      ['AUTH_TOKEN_MISSING', 'AUTH_TOKEN_MALFORMED', 'AUTH_TOKEN_EXPIRED', 'AUTH_ROLE_MISSING'].map(
        (reason) => [{ context: 'http', reason }, 1],
      ),
    );
    // Nothing had to be verified of those that were refused.
    expect(await telemetry.points(DURATION)).toEqual([[{ outcome: 'accepted', issuer: 'main' }, 1]]);
  });

  it('[E3] reports a refresh, and a request that waited for it as a child of its caller with a link, when keys roll over', async () => {
    useContexts();
    const { telemetry, issuer, api } = await start({}, undefined, platform);
    await issuer.rotateKeys();
    await api.get('/orders', await issuer.sign({ sub: 'alice' })).expect(200);
    const [load, refresh, authentication, ...others] = telemetry.spans;
    expect(others).toEqual([]);
    expect([load?.name, refresh?.name, authentication?.name]).toEqual([
      'resilient_auth.metadata.refresh',
      'resilient_auth.metadata.refresh',
      'resilient_auth.authenticate',
    ]);
    expect(load?.attributes).toEqual({ trigger: 'load', outcome: 'succeeded', issuer: 'main' });
    expect(refresh?.attributes).toEqual({ trigger: 'on-demand', outcome: 'succeeded', issuer: 'main' });
    expect(refresh?.parentSpanContext).toBeUndefined();
    expect(authentication?.attributes).toEqual({ outcome: 'accepted', issuer: 'main' });
    expect(authentication?.links.map(({ context }) => context.spanId)).toEqual([
      refresh?.spanContext().spanId,
    ]);
    expect(await telemetry.points(REFRESH)).toEqual([
      [{ trigger: 'load', outcome: 'succeeded' }, 1],
      [{ trigger: 'on-demand', outcome: 'succeeded' }, 1],
    ]);
  });
});

describe('openTelemetry()', () => {
  it('[E3] creates the instruments, types and units of the guide when the application boots', async () => {
    const { telemetry, issuer, api } = await start();
    await api.get('/orders', await issuer.sign({ sub: 'alice' })).expect(200);
    await api.get('/orders').expect(401);
    const seen = (await telemetry.collect()).map(({ descriptor: { name, unit }, dataPointType }) => [
      name,
      unit,
      DataPointType[dataPointType],
    ]);
    expect(seen).toEqual([
      [AUTHENTICATIONS, '{request}', 'SUM'],
      ['resilient_auth.contexts.refused', '{operation}', 'SUM'],
      ['resilient_auth.metadata.age', 's', 'GAUGE'],
      ['resilient_auth.metadata.keys', '{key}', 'GAUGE'],
      ['resilient_auth.metadata.state', '', 'GAUGE'],
      ['resilient_auth.metadata.waiting', '{request}', 'GAUGE'],
      ['resilient_auth.metadata.budget.available', '{refresh}', 'GAUGE'],
      [REFRESH, 's', 'HISTOGRAM'],
      [DURATION, 's', 'HISTOGRAM'],
    ]);
    const counter = (await telemetry.collect()).find(({ descriptor }) => descriptor.name === AUTHENTICATIONS);
    expect(counter).toMatchObject({ isMonotonic: true });
  });

  it('[E3] makes the caller the parent of a request that waited, and nothing that of a refresh, when a span is active', async () => {
    useContexts();
    const { telemetry, issuer, api } = await start();
    await issuer.rotateKeys();
    const token = await issuer.sign({ sub: 'alice' });
    const parent = telemetry.tracerProvider.getTracer('test').startSpan('caller');
    await context.with(trace.setSpan(context.active(), parent), () =>
      api.app.get(Authenticator).authenticate(token),
    );
    const [, refresh, authentication] = telemetry.spans;
    expect(authentication?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(refresh?.parentSpanContext).toBeUndefined();
  });

  it('[E3] counts unavailable and marks its span an error when the issuer cannot be asked', async () => {
    const { telemetry, issuer, api } = await start({
      metadata: { refreshWait: '200ms', requireHttps: false },
    });
    issuer.fail({ mode: { status: 500 } });
    await issuer.rotateKeys();
    await api.get('/orders', await issuer.sign({ sub: 'alice' })).expect(503);
    expect(await telemetry.points(AUTHENTICATIONS)).toEqual([
      [
        { outcome: 'unavailable', 'error.type': 'AUTH_METADATA_UNAVAILABLE', issuer: 'main', cache: 'miss' },
        1,
      ],
    ]);
    const [, failed, authentication] = telemetry.spans;
    expect(failed?.attributes).toEqual({
      trigger: 'on-demand',
      outcome: 'failed',
      'error.type': 'status',
      issuer: 'main',
    });
    expect([failed?.status.code, authentication?.status.code]).toEqual([2, 2]);
    expect(await telemetry.points(REFRESH)).toContainEqual([
      { trigger: 'on-demand', outcome: 'failed', 'error.type': 'status' },
      1,
    ]);
  });

  it('[E3] counts unavailable with the type _OTHER when a function of the application throws', async () => {
    const { telemetry, issuer, api } = await start({
      validate: ({ sub }) => {
        throw new RangeError(sub);
      },
    });
    const token = await issuer.sign({ sub: 'SECRET' });
    for (let i = 0; i < 2; i++) await api.get('/orders', token).expect(500);
    const point = { outcome: 'unavailable', 'error.type': '_OTHER', issuer: 'main' };
    expect(await telemetry.points(AUTHENTICATIONS)).toEqual([
      [{ ...point, cache: 'miss' }, 1],
      [{ ...point, cache: 'hit' }, 1],
    ]);
  });

  it('[E3] reports age, keys, state, budget and waiting requests of each issuer when time passes', async () => {
    const clock = new ManualClock();
    const metadata = { automaticRefreshInterval: '1m', lastKnownGoodLifetime: '1h', requireHttps: false };
    const { telemetry, issuer, api } = await start({ metadata }, clock);
    const { provider } = api;
    expect(await gauge(telemetry, 'state')).toEqual([0]);
    expect(await gauge(telemetry, 'age')).toEqual([0]);
    expect(await gauge(telemetry, 'keys')).toEqual([1]);
    expect(await gauge(telemetry, 'budget.available')).toEqual([5]);
    expect(await gauge(telemetry, 'waiting')).toEqual([0]);
    issuer.fail({ mode: { status: 503 } });
    await clock.advance('5m');
    expect(await gauge(telemetry, 'state')).toEqual([1]);
    expect(await gauge(telemetry, 'age')).toEqual([300]);
    await clock.advance('2h');
    expect(await gauge(telemetry, 'state')).toEqual([2]);
    issuer.recover();
    await issuer.rotateKeys();
    await provider.refreshNow();
    expect(await gauge(telemetry, 'state')).toEqual([0]);
    expect(await gauge(telemetry, 'keys')).toEqual([2]);
    await api.get('/orders', await issuer.sign({ sub: 'alice', kid: 'x' })).expect(200);
  });

  it('[E3] reports no age and the state empty when nothing was loaded', async () => {
    const { telemetry } = await start({ metadata: { startup: 'lazy', requireHttps: false } });
    expect(await gauge(telemetry, 'state')).toEqual([3]);
    expect(await gauge(telemetry, 'age')).toEqual([]);
    expect(await gauge(telemetry, 'keys')).toEqual([0]);
  });

  it('[E3] adds no attribute set, no attribute of a token and no span of a known token when it is flooded', async () => {
    const { telemetry, issuer, api } = await start();
    const forge = async (i: number): Promise<string> => {
      const [header = '', payload = '', signature = ''] = (
        await issuer.sign({
          sub: `SECRET-${i}`,
          jti: `SECRET-${i}`,
          ...(i % 3 === 0 && { iss: `https://SECRET-${i}.test` }),
        })
      ).split('.');
      const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString());
      const forged = Buffer.from(JSON.stringify({ alg, typ: 'at+jwt', kid: `SECRET-${i}` })).toString(
        'base64url',
      );
      return `${forged}.${payload}.${signature}`;
    };
    const flood = async (from: number): Promise<void> => {
      const tokens = await Promise.all(Array.from({ length: 60 }, (_, i) => forge(from + i)));
      await Promise.all(tokens.map(async (token) => api.get('/orders', token).expect(401)));
    };
    const good = await issuer.sign({ sub: 'alice' });
    await api.get('/orders', good).expect(200);
    await flood(0);
    const sets = async () =>
      (await telemetry.collect()).flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes }) => `${descriptor.name} ${JSON.stringify(attributes)}`),
      );
    const before = await sets();
    await flood(60);
    expect(await sets()).toEqual(before);
    const spans = telemetry.spans.length;
    for (let i = 0; i < 20; i++) await api.get('/orders', good).expect(200);
    expect(telemetry.spans).toHaveLength(spans);
    const all = [
      ...(await sets()),
      ...telemetry.spans.map(({ name, attributes }) => name + JSON.stringify(attributes)),
    ];
    expect(all.join()).not.toMatch(/SECRET|alice/);
    for (const kid of api.provider.status().keyIds) expect(all.join()).not.toContain(kid);
  });

  it('[E3] counts a bound token without its proof by reason when a check of proofs refuses it', async () => {
    const { telemetry, issuer, api } = await start();
    await api.get('/orders', await issuer.sign({ cnf: { jkt: 'abc' } })).expect(401);
    expect(await telemetry.points('resilient_auth.proofs.refused')).toEqual([
      [{ reason: 'AUTH_TOKEN_SENDER_CONSTRAINED' }, 1],
    ]);
  });

  it('[E3] counts proofs that are missing and proofs that come again apart when DPoP is on', async () => {
    const telemetry = new Telemetry();
    const api = await startDpopApi({}, { extensions: [telemetry.extension] });
    const token = await api.token();
    const proof = await api.client.proof({ url: `${PUBLIC_URL}/things`, token });
    expect(await api.outcome({ token, proof })).toMatchObject({ status: 200 });
    expect(await api.outcome({ token, proof })).toMatchObject({ code: 'AUTH_PROOF_REPLAYED' });
    expect(await api.outcome({ token, proof: null })).toMatchObject({ code: 'AUTH_PROOF_MISSING' });
    expect(await telemetry.points('resilient_auth.proofs.refused')).toEqual([
      [{ reason: 'AUTH_PROOF_MISSING' }, 1],
    ]);
    expect(await telemetry.points('resilient_auth.proofs.replayed')).toEqual([
      [{ reason: 'AUTH_PROOF_REPLAYED' }, 1],
    ]);
  });

  it('[E3] counts bound tokens that come without key or certificate among the refused proofs', async () => {
    const mtls = { from: 'header', preset: 'rfc9440', trustedProxies: ['127.0.0.1'] } as const;
    const telemetry = new Telemetry();
    const api = await startDpopApi({}, { mtls, extensions: [telemetry.extension] });
    expect(await api.outcome({ scheme: 'Bearer' })).toMatchObject({ code: 'AUTH_TOKEN_SENDER_CONSTRAINED' });
    const token = await api.issuer.sign({ cnf: { 'x5t#S256': 'x' } });
    expect(await api.outcome({ token, scheme: 'Bearer' })).toMatchObject({
      code: 'AUTH_CERTIFICATE_MISMATCH',
    });
    expect(await telemetry.points('resilient_auth.proofs.refused')).toEqual([
      [{ reason: 'AUTH_TOKEN_SENDER_CONSTRAINED' }, 1],
      [{ reason: 'AUTH_CERTIFICATE_MISMATCH' }, 1],
    ]);
  });

  it('[E3] counts unavailable when the replay store fails', async () => {
    const telemetry = new Telemetry();
    const replay = { add: () => Promise.reject(new Error('down')) };
    const api = await startDpopApi({ replay }, { extensions: [telemetry.extension] });
    expect(await api.outcome()).toMatchObject({ status: 503 });
    expect(await telemetry.points(AUTHENTICATIONS)).toMatchObject([
      [{ outcome: 'unavailable', 'error.type': 'AUTH_REPLAY_STORE_UNAVAILABLE' }, 1],
    ]);
  });

  it('[E3] counts a known token that a check refuses as a refusal from the cache', async () => {
    const revoked = new Set<string>();
    const tokenCheck = {
      check: ({ token }: { token: string }): void => {
        if (revoked.has(token)) throw new TokenError('AUTH_TOKEN_REJECTED', 'revoked');
      },
    };
    const { telemetry, issuer, api } = await start({ extensions: [{ name: 'revocation', tokenCheck }] });
    const token = await issuer.sign({ sub: 'alice' });
    await api.get('/orders', token).expect(200);
    revoked.add(token);
    await api.get('/orders', token).expect(401);
    expect(await telemetry.points(AUTHENTICATIONS)).toEqual([
      [{ outcome: 'accepted', issuer: 'main', cache: 'miss' }, 1],
      [{ outcome: 'refused', 'error.type': 'AUTH_TOKEN_REJECTED', issuer: 'main', cache: 'hit' }, 1],
    ]);
  });

  it('[E3] serves requests and counts them for the other observers when an observer throws', async () => {
    const observer = {
      ended: (): never => {
        throw new Error('a fault of the observer');
      },
    };
    const { telemetry, issuer, api } = await start({ extensions: [{ name: 'broken', observer }] });
    await api.get('/orders', await issuer.sign({ sub: 'alice' })).expect(200);
    await api.get('/orders').expect(401);
    expect(await telemetry.points(AUTHENTICATIONS)).toEqual([
      [{ outcome: 'accepted', issuer: 'main', cache: 'miss' }, 1],
      [{ outcome: 'refused', 'error.type': 'AUTH_TOKEN_MISSING', cache: 'miss' }, 1],
    ]);
  });

  it('[E3] reports nothing when the application is closed', async () => {
    const { telemetry, issuer, api } = await start();
    await api.get('/orders', await issuer.sign({ sub: 'alice' })).expect(200);
    await api.app.close();
    expect(
      (await telemetry.collect()).filter(({ dataPointType }) => dataPointType !== DataPointType.HISTOGRAM),
    ).toEqual([]);
  });

  it('[E3] serves requests without an SDK when only the API is installed', async () => {
    const issuer: TestIssuer = await startIssuer();
    const api = await startApi(platforms[0].create, issuer.options({ extensions: [openTelemetry()] }));
    await api.get('/orders', await issuer.sign({ sub: 'alice' })).expect(200);
    await issuer.rotateKeys();
    await api.get('/orders', await issuer.sign({ sub: 'alice' })).expect(200);
    await api.get('/orders').expect(401);
  });
});
