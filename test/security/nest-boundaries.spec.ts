import { Controller, Get, Next, Req, Res, type INestApplication, type Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { NextFunction } from 'express';
import { Authorized, AuthModule, type AuthModuleExtras } from 'nestjs-resilient-auth';
import type { TestIssuer } from 'nestjs-resilient-auth/testing';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startApi, startIssuer } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { exchange } from '../support/apps/raw-exchange.js';

const [express] = platforms;

async function boot(
  issuer: TestIssuer,
  controllers: Type[],
  {
    create = express.create,
    ...extras
  }: AuthModuleExtras & { create?: (typeof platforms)[number]['create'] } = {},
): Promise<INestApplication> {
  const { app } = await startApi(create, { ...issuer.options(), ...extras }, { controllers });
  return app;
}

const get = (app: INestApplication, path: string, token: string) =>
  request(app.getHttpServer()).get(path).set('Authorization', `Bearer ${token}`);

@Authorized()
@Controller('secret')
class SecretController {
  @Get()
  get(): string {
    return 'the secret';
  }
}

@Controller('plain')
class PlainController {
  @Get()
  get(): string {
    return 'the secret';
  }
}

/** SECURITY-CHECKLIST 1L, L1: a route is protected where it is handled, in every spelling of its path. */
describe.each(platforms)('a path, on $platform', ({ create }) => {
  it.each([
    '/secret/',
    '//secret',
    '/secret//',
    '/./secret',
    '/x/../secret',
    '/%73ecret',
    '/secret%2F',
    '/SECRET',
    '/secret;a=b',
    '/secret?x=1',
    '/secret#x',
    '/secret/%2e',
    '/secret%00',
    '/secret.json',
    '\\secret',
  ])('[L1] answers 4xx when it resembles a protected route: %s', async (path) => {
    const issuer = await startIssuer();
    const app = await boot(issuer, [SecretController], { create });
    await get(app, '/secret', await issuer.sign()).expect(200, 'the secret');
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'TRACE']) {
      const answer = await exchange(app, [`${method} ${path} HTTP/1.1`]);
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer).not.toContain('the secret');
    }
  });

  it('[L1] answers HEAD like GET', async () => {
    const issuer = await startIssuer();
    const app = await boot(issuer, [SecretController], { create });
    const head = (token: string) =>
      request(app.getHttpServer()).head('/secret').set('Authorization', `Bearer ${token}`);
    expect((await head('junk').expect(401)).headers['www-authenticate']).toContain('invalid_token');
    await request(app.getHttpServer()).head('/secret').expect(401).expect('WWW-Authenticate', 'Bearer');
    await head(await issuer.sign()).expect(200);
  });
});

describe.each([
  { platform: 'Express', adapter: () => new ExpressAdapter() },
  { platform: 'Fastify', adapter: () => new FastifyAdapter() },
])('a preflight request, on $platform', ({ adapter }) => {
  it('[I7] answers the preflight through CORS, and 401 to the request itself', async () => {
    const issuer = await startIssuer();
    const imports = [AuthModule.forRoot({ ...issuer.options(), secureByDefault: true })];
    const module = await Test.createTestingModule({ imports, controllers: [SecretController] }).compile();
    const app = module.createNestApplication(adapter(), { logger: false, cors: true });
    onTestFinished(() => app.close());
    await app.listen(0, '127.0.0.1');
    const ask = { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'GET' };
    const preflight = await request(app.getHttpServer()).options('/secret').set(ask).expect(204);
    expect(preflight.headers['access-control-allow-origin']).toBe('*');
    await request(app.getHttpServer()).get('/secret').set('Origin', 'https://shop.example').expect(401);
  });
});

describe('a request that meets several handlers', () => {
  @Controller('chain')
  class ChainController {
    @Authorized()
    @Get('*rest')
    first(@Next() next: NextFunction): void {
      next();
    }

    @Authorized({ scopes: ['admin'] })
    @Get('secret')
    second(): string {
      return 'the secret';
    }
  }

  it('[L3] answers 403 unless it meets the requirements of each', async () => {
    const issuer = await startIssuer();
    const app = await boot(issuer, [ChainController]);
    await get(app, '/chain/secret', await issuer.sign({ scope: 'admin' })).expect(200, 'the secret');
    await get(app, '/chain/secret', await issuer.sign()).expect(403);
  });

  it('[L8] accepts a request only when both of two applications, one mounted in the other, accept it', async () => {
    const [outerIssuer, innerIssuer] = [await startIssuer(), await startIssuer()];
    const inner = await boot(innerIssuer, [SecretController]);
    @Controller('secret')
    class OuterController {
      @Authorized()
      @Get()
      get(@Req() req: object, @Res() res: object, @Next() next: NextFunction): void {
        inner.getHttpAdapter().getInstance()(req, res, next);
      }
    }
    const [outer, twin] = [
      await boot(outerIssuer, [OuterController]),
      await boot(innerIssuer, [OuterController]),
    ];
    await get(twin, '/secret', await innerIssuer.sign()).expect(200, 'the secret');
    for (const issuer of [innerIssuer, outerIssuer]) {
      const { body } = await get(outer, '/secret', await issuer.sign()).expect(401);
      expect(body.errorCode).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
    }
  });
});

describe('an application', () => {
  it('[L4] rejects the boot when it has @Authorized and no AuthModule', async () => {
    const module = Test.createTestingModule({ controllers: [SecretController] });
    await expect(express.create(module)).rejects.toThrow(/Authenticator/);
  });

  it('[L1] answers 401 for a handler that is not decorated when it is secure by default', async () => {
    const issuer = await startIssuer();
    const app = await boot(issuer, [PlainController], { secureByDefault: true });
    await request(app.getHttpServer()).get('/plain').expect(401);
    await get(app, '/plain', await issuer.sign()).expect(200, 'the secret');
  });

  it('[L1] rejects the boot when a factory returns an extra or secureByDefault is no boolean', async () => {
    const issuer = await startIssuer();
    for (const stray of ['{"secureByDefault":true}', '{"isGlobal":true}']) {
      const module = AuthModule.forRootAsync({
        useFactory: () => ({ ...issuer.options(), ...JSON.parse(stray) }),
      });
      await expect(Test.createTestingModule({ imports: [module] }).compile()).rejects.toThrow(/useFactory/);
    }
    const module = AuthModule.forRoot({ ...issuer.options(), ...JSON.parse('{"secureByDefault":"true"}') });
    await expect(Test.createTestingModule({ imports: [module] }).compile()).rejects.toThrow(
      /secureByDefault/,
    );
  });
});
