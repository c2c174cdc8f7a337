import { MetadataProvider, TokenRejectedError, type MetadataEvent } from 'nestjs-resilient-auth';
import { AuthModule } from 'nestjs-resilient-auth';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { Test } from '@nestjs/testing';
import { inspect } from 'node:util';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startIssuer } from '../support/apps/start-api.js';
import { OrdersModule } from '../support/apps/orders.module.js';
import { makeSigner } from '../support/issuers/signer.js';

/** Everything an application logs, at every level. */
class Recorder {
  readonly lines: { readonly level: string; readonly text: string }[] = [];
  readonly log = this.#at('log');
  readonly error = this.#at('error');
  readonly warn = this.#at('warn');
  readonly debug = this.#at('debug');
  readonly verbose = this.#at('verbose');

  of(...levels: readonly string[]): readonly string[] {
    return this.lines.filter(({ level }) => levels.includes(level)).map(({ text }) => text);
  }

  #at(level: string) {
    return (...parts: unknown[]): void => {
      this.lines.push({ level, text: inspect(parts, { depth: 8 }) });
    };
  }
}

async function boot(issuer: TestIssuer, options: Parameters<TestIssuer['options']>[0] = {}) {
  const logger = new Recorder();
  const imports = [AuthModule.forRoot(issuer.options(options)), OrdersModule];
  const module = await Test.createTestingModule({ imports }).setLogger(logger).compile();
  const app = module.createNestApplication({ logger });
  onTestFinished(() => app.close());
  await app.init();
  const events: MetadataEvent[] = [];
  const provider = app.get(MetadataProvider);
  provider.events$.subscribe((event) => events.push(event));
  const statusOf = async (token: string, path = '/orders') =>
    (await request(app.getHttpServer()).get(path).set('Authorization', `Bearer ${token}`)).status;
  return { app, logger, events, provider, statusOf };
}

/** docs/security-checklist.md M. */
describe('the log', () => {
  it('[M1] [M5] keeps tokens, claims and signatures out of its lines, at every level', async () => {
    const issuer = await startIssuer();
    const { logger, events, statusOf } = await boot(issuer);
    const secret = {
      sub: 'SECRET-SUB',
      email: 'SECRET-MAIL',
      jti: 'SECRET-JTI',
      scope: 'SECRET-SCOPE',
      roles: ['SECRET-ROLE'],
    };
    const sign = (claims: object = {}, options: object = {}) =>
      issuer.sign({ ...secret, ...claims }, options);
    const tokens = [
      await sign(),
      await sign({}, { expiresIn: '-1h' }),
      await sign({ aud: 'SECRET-AUD' }),
      await sign({ iss: 'https://SECRET-ISS.example' }),
      await sign({ cnf: { jkt: 'SECRET-JKT' } }),
      await sign({}, { kid: 'SECRET-KID' }),
      await sign({}, { typ: 'SECRET-TYP' }),
      await sign({}, { header: { alg: 'SECRET-ALG' } }).catch(() => 'SECRET.SECRET.SECRET'),
      await sign({ tid: 'SECRET-TID', token_use: 'SECRET-USE' }),
      'SECRET',
    ];
    for (const token of tokens) {
      await statusOf(token);
      await statusOf(token, '/orders/audit');
    }
    const everything = logger.lines.map(({ text }) => text).join('\n') + inspect(events, { depth: 8 });
    expect(logger.of('debug').join()).toContain('AUTH_TOKEN_EXPIRED');
    expect(everything).not.toMatch(/SECRET/i);
    for (const token of tokens)
      for (const part of token.split('.').slice(0, 3)) expect(everything).not.toContain(part);
  });

  it('[M1] logs nothing above debug for a request', async () => {
    const issuer = await startIssuer();
    const { logger, statusOf } = await boot(issuer);
    const before = logger.of('log', 'warn', 'error').length;
    for (let i = 0; i < 5; i++) {
      await statusOf(await issuer.sign());
      await statusOf('junk');
      await statusOf(await issuer.sign({ aud: 'x' }));
      await statusOf(await issuer.sign({}, { kid: 'unknown' }));
    }
    expect(logger.of('log', 'warn', 'error')).toHaveLength(before);
  });

  it('[M2] logs a refusal in the words of an application on one line of bounded length', async () => {
    const issuer = await startIssuer();
    const { logger, statusOf } = await boot(issuer, {
      validate: ({ sub }) => {
        throw new TokenRejectedError(`${sub} is not known`);
      },
    });
    expect(await statusOf(await issuer.sign({ sub: `x\nERROR forged \u202e${'y'.repeat(5000)}` }))).toBe(401);
    const [line] = logger.of('debug').filter((text) => text.includes('forged'));
    expect(line).toContain('AUTH_TOKEN_REJECTED: x?ERROR forged ?');
    expect(line).not.toMatch(/y{1001}/);
  });

  it('[M2] truncates a key id and replaces characters that are not printable', async () => {
    const issuer = await startIssuer();
    const { logger, provider } = await boot(issuer);
    const evil = `x\r\nERROR forged line \u001b[31m\u2028${'k'.repeat(500)}`;
    issuer.publishRaw(makeSigner('ES256', { kid: evil }).jwk);
    issuer.publishRaw(makeSigner('ES256', { kid: `${evil}-enc`, members: { use: 'enc' } }).jwk);
    await provider.refreshNow();
    const lines = logger.of('log', 'warn').filter((line) => line.includes('forged'));
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).toContain('x??ERROR?forged?line??[31m?');
      expect(line).not.toMatch(/k{100}/);
    }
  });

  it('[M1] [M2] keeps the text of a broken issuer out of its lines', async () => {
    const issuer = await startIssuer();
    const { logger, provider } = await boot(issuer);
    for (const body of [
      'UPSTREAM-TEXT',
      '{"issuer":"UPSTREAM-TEXT"}',
      '{"keys":[{"kty":"UPSTREAM-TEXT"}]}',
    ]) {
      issuer.fail({ mode: { body } });
      await expect(provider.refreshNow()).rejects.toThrow('The refresh failed');
    }
    expect(logger.of('warn').join()).toContain('metadata refresh failed');
    expect(logger.lines.map(({ text }) => text).join()).not.toContain('UPSTREAM');
  });

  it('[M3] logs one line per cause, not one per request', async () => {
    const issuer = await startIssuer();
    const { logger, events, provider, statusOf } = await boot(issuer, {
      metadata: { refreshBurst: 1, refreshWait: 0 },
    });
    const leaked = makeSigner('ES256');
    issuer.publishRaw({ ...leaked.jwk, ...leaked.privateKey.export({ format: 'jwk' }) });
    for (let i = 0; i < 3; i++) await provider.refreshNow();
    expect(logger.of('error').filter((line) => line.includes('private'))).toHaveLength(1);
    expect(logger.lines.map(({ text }) => text).join()).not.toContain(
      String(leaked.privateKey.export({ format: 'jwk' }).d),
    );
    issuer.fail({ mode: 'wrong-issuer' });
    for (let i = 0; i < 3; i++) await provider.refreshNow().catch(() => undefined);
    expect(logger.of('warn').filter((line) => line.includes('wrong-issuer'))).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'refresh-failed')).toHaveLength(3);
    issuer.recover();
    await provider.refreshNow();
    expect(logger.of('log').filter((line) => line.includes('can be refreshed again'))).toHaveLength(1);
    expect(await statusOf(await issuer.sign())).toBe(200);
  });
});
