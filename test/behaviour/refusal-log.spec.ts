import { Controller, Get, UseGuards } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  AccessDeniedError,
  Authorized,
  AuthorizedGuard,
  AuthModule,
  Clock,
  TokenError,
  TokenMissingError,
  TokenRejectedError,
} from 'nestjs-resilient-auth';
import { ManualClock, type TestIssuer, type TestIssuerModuleOptions } from 'nestjs-resilient-auth/testing';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RefusalLog } from '../../lib/authentication/outcomes/refusal-log.js';
import { withFixedText } from '../../lib/errors/auth.error.js';
import { startIssuer } from '../support/apps/start-api.js';

class Second extends AuthorizedGuard {}

@Controller('orders')
class OrdersController {
  @Get()
  @Authorized()
  list(): string {
    return 'orders';
  }

  @Get('optional')
  @Authorized({ optional: true })
  optional(): string {
    return 'orders';
  }

  @Get('admin')
  @Authorized({ roles: ['admin'] })
  admin(): string {
    return 'orders';
  }

  @Get('twice')
  @UseGuards(Second)
  @Authorized()
  twice(): string {
    return 'orders';
  }

  @Get('own-policy')
  @Authorized({
    policy: () => {
      throw new AccessDeniedError('AUTH_POLICY_REFUSED', 'SECRET of alice');
    },
  })
  own(): string {
    return 'orders';
  }
}

async function start(issuer: TestIssuer, clock: ManualClock, options: Partial<TestIssuerModuleOptions> = {}) {
  const lines: string[] = [];
  const log = (text: string, context?: string): void => {
    if (context === 'Authenticator') lines.push(text);
  };
  const quiet = (): void => undefined;
  const logger = { log, warn: log, error: log, debug: quiet, verbose: quiet };
  const module = await Test.createTestingModule({
    imports: [AuthModule.forRoot(issuer.options(options))],
    controllers: [OrdersController],
  })
    .overrideProvider(Clock)
    .useValue(clock)
    .setLogger(logger)
    .compile();
  const app = module.createNestApplication({ logger });
  onTestFinished(() => app.close());
  await app.init();
  const get = async (token?: string, path = '/orders'): Promise<number> => {
    const test = request(app.getHttpServer()).get(path);
    return (token === undefined ? await test : await test.set('Authorization', `Bearer ${token}`)).status;
  };
  return { app, lines, get };
}

describe('the log of refusals', () => {
  it('logs in one line a minute what was refused and why, most frequent first, when something was', async () => {
    const clock = new ManualClock();
    const issuer = await startIssuer({ clock });
    const { lines, get } = await start(issuer, clock);
    const old = await issuer.sign({ sub: 'alice', exp: Math.floor(clock.now() / 1000) - 3600 });
    for (let i = 0; i < 3; i++) expect(await get(old)).toBe(401);
    for (let i = 0; i < 2; i++) expect(await get()).toBe(401);
    expect(await get(await issuer.sign({ sub: 'alice' }), '/orders/admin')).toBe(403);
    expect(await get(await issuer.sign({ sub: 'alice' }))).toBe(200);
    await clock.advance('59s');
    expect(lines).toEqual([]);
    await clock.advance('1s');
    expect(lines).toEqual([
      'refused in the last minute: 6 (AUTH_TOKEN_EXPIRED 3: The token has expired; AUTH_TOKEN_MISSING 2; ' +
        'AUTH_ROLE_MISSING 1: The token has none of the required roles)',
    ]);
    await clock.advance('5m');
    expect(lines).toHaveLength(1);
    await get();
    await clock.advance('1m');
    expect(lines).toEqual([lines[0], 'refused in the last minute: 1 (AUTH_TOKEN_MISSING 1)']);
  });

  it('counts a key that is not found and a wrong signature apart when both are one code', async () => {
    const clock = new ManualClock();
    const issuer = await startIssuer({ clock });
    const other = await startIssuer({ clock });
    const { lines, get } = await start(issuer, clock, {
      metadata: { refreshOnKeyNotFound: false, requireHttps: false },
    });
    const token = await issuer.sign({ sub: 'alice' });
    const [header, payload] = token.split('.');
    const [, , signature] = (await issuer.sign({ sub: 'bob' })).split('.');
    expect(await get(`${header}.${payload}.${signature}`)).toBe(401);
    expect(await get(await other.sign({ iss: issuer.url }))).toBe(401);
    await clock.advance('1m');
    expect(lines[0]).toContain('AUTH_TOKEN_SIGNATURE_INVALID 1: The signing key is not in the key set');
    expect(lines[0]).toContain('AUTH_TOKEN_SIGNATURE_INVALID 1: The signature does not verify');
  });

  it('plans no timer and logs nothing when every token is accepted', async () => {
    const clock = new ManualClock();
    const issuer = await startIssuer({ clock });
    const { lines, get } = await start(issuer, clock);
    const timers = clock.pendingTimers;
    const token = await issuer.sign({ sub: 'alice' });
    for (let i = 0; i < 3; i++) expect(await get(token)).toBe(200);
    expect(await get(undefined, '/orders/optional')).toBe(200);
    expect(clock.pendingTimers).toBe(timers);
    await clock.advance('2m');
    expect(lines).toEqual([]);
  });

  it('counts an operation once when several guards refuse it', async () => {
    const clock = new ManualClock();
    const issuer = await startIssuer({ clock });
    const { lines, get } = await start(issuer, clock);
    expect(await get('bad', '/orders/twice')).toBe(401);
    await clock.advance('1m');
    expect(lines).toEqual([
      expect.stringMatching(/^refused in the last minute: 1 \(AUTH_TOKEN_MALFORMED 1: /),
    ]);
  });

  it('holds nothing of tokens and no text of the application when both are refused', async () => {
    const clock = new ManualClock();
    const issuer = await startIssuer({ clock });
    const validate = (): never => {
      throw new TokenRejectedError('SECRET of alice');
    };
    const { lines, get } = await start(issuer, clock, { validate });
    const plain = await start(issuer, clock);
    const token = await issuer.sign({ sub: 'SECRET', jti: 'SECRET' });
    expect(await get(token)).toBe(401);
    expect(await get(await issuer.sign({ aud: 'SECRET' }))).toBe(401);
    expect(await get(await issuer.sign({ iss: 'https://SECRET.example' }))).toBe(401);
    expect(await plain.get(token, '/orders/own-policy')).toBe(403);
    await clock.advance('1m');
    // The logger of a process is the last one set.
    expect(plain.lines).toHaveLength(2);
    expect(plain.lines.join()).toContain('AUTH_TOKEN_REJECTED 1;');
    expect(plain.lines.join()).toContain('(AUTH_POLICY_REFUSED 1)');
    expect([...lines, ...plain.lines].join()).not.toMatch(/SECRET|alice/);
  });

  it('leaves no timer behind when the application is closed', async () => {
    const clock = new ManualClock();
    const issuer = await startIssuer({ clock });
    const { app, lines, get } = await start(issuer, clock);
    await get();
    await app.close();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance('2m');
    expect(lines).toEqual([]);
  });
});

describe('RefusalLog', () => {
  const logged = () => {
    const lines: string[] = [];
    const clock = new ManualClock();
    return { clock, lines, log: new RefusalLog(clock, { log: (text: string) => void lines.push(text) }) };
  };

  it('counts reasons beyond the bound by their code alone when there are more', async () => {
    const { clock, lines, log } = logged();
    for (let i = 0; i < 10_000; i++)
      log.add(withFixedText(new TokenError('AUTH_TOKEN_CLAIM_INVALID', `The token lacks the claim c${i}`)));
    await clock.advance('1m');
    expect(lines[0]).toMatch(/^refused in the last minute: 10000 \(AUTH_TOKEN_CLAIM_INVALID 9936; /);
    expect(lines[0]).toMatch(/; others 53\)$/);
    expect(lines[0]?.length).toBeLessThan(1500);
  });

  it('counts by code alone when the application has written the message', async () => {
    const { clock, lines, log } = logged();
    for (let i = 0; i < 1000; i++) log.add(new TokenError('AUTH_TOKEN_EXPIRED', `SECRET ${i}`));
    log.add(new TokenMissingError());
    log.add(new Error('a fault of the application'));
    await clock.advance('1m');
    expect(lines).toEqual([
      'refused in the last minute: 1001 (AUTH_TOKEN_EXPIRED 1000; AUTH_TOKEN_MISSING 1)',
    ]);
  });

  it('counts nothing when it is closed', async () => {
    const { clock, lines, log } = logged();
    log.onModuleDestroy();
    log.add(new TokenMissingError());
    expect(clock.pendingTimers).toBe(0);
    expect(lines).toEqual([]);
  });
});
