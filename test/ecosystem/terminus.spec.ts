import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import {
  AllowAnonymous,
  AuthModule,
  Clock,
  MetadataProviders,
  type ResilientAuthOptions,
} from 'nestjs-resilient-auth';
import { AuthHealthIndicator } from 'nestjs-resilient-auth/terminus';
import { ManualClock, TestIssuer } from 'nestjs-resilient-auth/testing';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

@Controller('health')
@AllowAnonymous()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly auth: AuthHealthIndicator,
  ) {}

  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([() => this.auth.isHealthy()]);
  }

  @Get('named')
  @HealthCheck()
  named() {
    return this.health.check([() => this.auth.isHealthy('tokens')]);
  }
}

@Module({ imports: [TerminusModule], controllers: [HealthController], providers: [AuthHealthIndicator] })
class HealthModule {}

describe('AuthHealthIndicator', () => {
  let issuer: TestIssuer;
  let other: TestIssuer;
  let app: INestApplication | undefined;

  beforeEach(async () => {
    [issuer, other] = await Promise.all([
      TestIssuer.start({ audience: 'api' }),
      TestIssuer.start({ audience: 'api' }),
    ]);
  });

  afterEach(async () => {
    await app?.close();
    app = undefined;
    await Promise.all([issuer[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
  });

  async function start(options: ResilientAuthOptions, clock?: Clock): Promise<INestApplication> {
    const builder = Test.createTestingModule({
      imports: [AuthModule.forRoot({ ...options, secureByDefault: true }), HealthModule],
    });
    if (clock) builder.overrideProvider(Clock).useValue(clock);
    const module = await builder.compile();
    app = module.createNestApplication({ logger: false });
    await app.init();
    return app;
  }

  const probe = (path = '/health/ready') => request(app?.getHttpServer()).get(path);

  it('[E2] answers 200 and fresh when the metadata is loaded, without a call to the issuer', async () => {
    await start(issuer.options());
    const before = issuer.requests.length;
    const { status, body } = await probe();
    expect(status).toBe(200);
    expect(body.details.auth.status).toBe('up');
    expect(Object.values(body.details.auth.issuers)).toEqual([
      { state: 'fresh', checkedAt: expect.any(String), expiresAt: expect.any(String) },
    ]);
    expect(issuer.requests).toHaveLength(before);
  });

  it('[E2] answers 503 and empty when nothing could be loaded', async () => {
    issuer.fail({ endpoint: 'all', mode: { status: 500 } });
    await start(issuer.options());
    const { status, body } = await probe();
    expect(status).toBe(503);
    expect(Object.values(body.details.auth.issuers)).toEqual([{ state: 'empty', lastFailure: 'status' }]);
  });

  it('[E2] answers 200 when stale and 503 when expired, and 200 again after a refresh', async () => {
    const clock = new ManualClock();
    const options = { automaticRefreshInterval: '1m', lastKnownGoodLifetime: '1h', requireHttps: false };
    await start({ ...issuer.options(), metadata: options }, clock);
    issuer.fail({ endpoint: 'all', mode: { status: 503 } });
    await clock.advance('5m');
    expect((await probe()).body.details.auth.issuers[issuer.url].state).toBe('stale');
    expect((await probe()).status).toBe(200);
    await clock.advance('2h');
    expect((await probe()).body.details.auth.issuers[issuer.url].state).toBe('expired');
    expect((await probe()).status).toBe(503);
    issuer.recover();
    await app?.get(MetadataProviders).get(issuer.url).refreshNow();
    expect((await probe()).status).toBe(200);
  });

  it('[E2] answers 200 when one of two issuers serves, and lists both', async () => {
    other.fail({ endpoint: 'all', mode: { status: 500 } });
    await start({
      issuers: [
        { ...issuer.options(), name: 'first' },
        { ...other.options(), name: 'second' },
      ],
    });
    const { status, body } = await probe();
    expect(status).toBe(200);
    expect(body.details.auth.issuers).toMatchObject({
      first: { state: 'fresh' },
      second: { state: 'empty' },
    });
  });

  it('[E2] answers under the key that was given, with no key id and no text of the issuer', async () => {
    await start(issuer.options());
    issuer.fail({ endpoint: 'all', mode: { body: 'secret text' } });
    await app
      ?.get(MetadataProviders)
      .get(issuer.url)
      .refreshNow()
      .catch(() => undefined);
    const { body } = await probe('/health/named');
    expect(body.details.tokens.status).toBe('up');
    expect(body.details.tokens.issuers[issuer.url].lastFailure).toBe('not-json');
    const text = JSON.stringify(body);
    expect(text).not.toContain('secret');
    for (const { keyIds } of [...(app?.get(MetadataProviders) ?? [])].map((provider) => provider.status())) {
      for (const kid of keyIds) expect(text).not.toContain(kid);
    }
  });
});
