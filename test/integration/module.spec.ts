import {
  Controller,
  Get,
  Injectable,
  Logger,
  Module,
  UseGuards,
  type INestApplication,
} from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { Test } from '@nestjs/testing';
import {
  AuthConfigurationError,
  AllowAnonymous,
  Authenticator,
  Authorized,
  AuthorizedGuard,
  AuthModule,
  CurrentUser,
  MetadataProvider,
  MetadataProviders,
  TokenRejectedError,
  type ResilientAuthOptions,
  type ResilientAuthOptionsFactory,
} from 'nestjs-resilient-auth';
import { authenticatedAs, TestIssuer } from 'nestjs-resilient-auth/testing';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import request from 'supertest';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { issuerAndApi, startApi, startIssuer } from '../support/apps/start-api.js';
import { OrdersModule } from '../support/apps/orders.module.js';
import { platforms } from '../support/apps/platforms.js';

const [{ create }] = platforms;

@Controller('plain')
class PlainController {
  @Get()
  closed(@CurrentUser('sub') subject: string): string {
    return subject ?? 'anonymous';
  }

  @AllowAnonymous()
  @Get('open')
  open(): string {
    return 'open';
  }
}

@Controller('foreign')
@UseGuards(AuthGuard(['resilient-jwt', 'api-key']))
class ForeignController {
  @Get()
  get(@CurrentUser('sub') subject: string): string {
    return subject;
  }
}

async function boot(
  ...imports: NonNullable<Parameters<typeof Test.createTestingModule>[0]['imports']>
): Promise<INestApplication> {
  const app = await create(
    Test.createTestingModule({ imports, controllers: [PlainController, ForeignController] }),
  );
  onTestFinished(() => app.close());
  return app;
}

const get = (app: INestApplication, path: string, token = '') =>
  request(app.getHttpServer()).get(path).set('Authorization', `Bearer ${token}`);

describe('AuthModule', () => {
  it('accepts its options from useFactory, useClass and useExisting', async () => {
    const issuer = await startIssuer();
    @Injectable()
    class Options implements ResilientAuthOptionsFactory {
      createResilientAuthOptions(): ResilientAuthOptions {
        return issuer.options();
      }
    }
    @Module({ providers: [Options], exports: [Options] })
    class OptionsModule {}
    const variants = [
      AuthModule.forRootAsync({
        imports: [OptionsModule],
        inject: [Options],
        useFactory: (options: Options) => options.createResilientAuthOptions(),
      }),
      AuthModule.forRootAsync({ useClass: Options }),
      AuthModule.forRootAsync({ imports: [OptionsModule], useExisting: Options }),
    ];
    for (const module of variants) {
      const app = await boot(module, OrdersModule);
      await get(app, '/orders', await issuer.sign()).expect(200);
      await app.close();
    }
  });

  it('protects every route when secureByDefault stands beside the options or beside a factory', async () => {
    const issuer = await startIssuer();
    const token = await issuer.sign({ sub: 'alice' });
    for (const module of [
      AuthModule.forRoot({ ...issuer.options(), secureByDefault: true }),
      AuthModule.forRootAsync({ useFactory: () => issuer.options(), secureByDefault: true }),
    ]) {
      const app = await boot(module);
      await request(app.getHttpServer()).get('/plain').expect(401);
      await get(app, '/plain', token).expect(200, 'alice');
      await request(app.getHttpServer()).get('/plain/open').expect(200, 'open');
      await app.close();
    }
  });

  it('leaves undecorated routes open when secureByDefault is undefined', async () => {
    const issuer = await startIssuer();
    const app = await boot(
      AuthModule.forRoot({ ...issuer.options(), secureByDefault: undefined, isGlobal: undefined }),
    );
    await request(app.getHttpServer()).get('/plain').expect(200, 'anonymous');
  });

  it('rejects the boot when it stands twice in one application', async () => {
    const issuer = await startIssuer();
    const two = [
      AuthModule.forRoot(issuer.options()),
      AuthModule.forRoot(issuer.options({ realm: 'other' })),
    ];
    await expect(Test.createTestingModule({ imports: two }).compile()).rejects.toThrow(/stands twice/);
  });

  it('rejects the boot when it is imported without options, alone or beside one that has them', async () => {
    const issuer = await startIssuer();
    @Module({ imports: [AuthModule] })
    class FeatureModule {}
    for (const imports of [[AuthModule], [AuthModule.forRoot(issuer.options()), FeatureModule]]) {
      const compiled = Test.createTestingModule({ imports }).compile();
      await expect(compiled).rejects.toThrow(AuthConfigurationError);
      await expect(compiled).rejects.toThrow(/without options/);
    }
  });

  it('keeps two applications in one process apart', async () => {
    const [one, two] = [await issuerAndApi(create), await issuerAndApi(create)];
    await one.api.get('/orders', await one.issuer.sign()).expect(200);
    await two.api.get('/orders', await two.issuer.sign()).expect(200);
    await one.api.get('/orders', await two.issuer.sign()).expect(401);
    await two.api.get('/orders', await one.issuer.sign()).expect(401);
  });

  it('removes its strategy from the passport registry when the last application closes', async () => {
    const issuer = await startIssuer();
    const registered = () => Object.hasOwn(Reflect.get(passport, '_strategies'), 'resilient-jwt');
    const [first, second] = [
      await boot(AuthModule.forRoot(issuer.options())),
      await boot(AuthModule.forRoot(issuer.options())),
    ];
    await first.close();
    expect(registered()).toBe(true);
    await second.close();
    expect(registered()).toBe(false);
  });

  it('answers 200, 401 and 503 through an AuthGuard of the application', async () => {
    const issuer = await startIssuer();
    passport.use(
      'api-key',
      new Strategy({ jwtFromRequest: ExtractJwt.fromHeader('x-key'), secretOrKey: 'k' }, () => undefined),
    );
    onTestFinished(() => void passport.unuse('api-key'));
    const app = await boot(AuthModule.forRoot(issuer.options()));
    await get(app, '/foreign', await issuer.sign({ sub: 'alice' })).expect(200, 'alice');
    await get(app, '/foreign', 'junk').expect(401);
    issuer.fail({ endpoint: 'all', mode: 'refuse' });
    await issuer.rotateKeys();
    const { body } = await get(app, '/foreign', await issuer.sign()).expect(503);
    expect(body.errorCode).toBe('AUTH_METADATA_UNAVAILABLE');

    await boot(AuthModule.forRoot(issuer.options()));
    const answer = await get(app, '/foreign', await issuer.sign()).expect(500);
    expect(answer.body.errorCode).toBe('AUTH_CONFIGURATION_INVALID');
  });

  it('applies the checks of a guard that extends AuthorizedGuard', async () => {
    @Injectable()
    class HeaderGuard extends AuthorizedGuard {
      protected override async authorize(
        ...parameters: Parameters<AuthorizedGuard['authorize']>
      ): Promise<void> {
        await super.authorize(...parameters);
        if (parameters[1].claims['blocked']) throw new TokenRejectedError();
      }
    }
    @Controller('extended')
    @UseGuards(HeaderGuard)
    class ExtendedController {
      @Authorized({ scopes: ['a'] })
      @Get()
      get(): string {
        return 'ok';
      }
    }
    const issuer = await startIssuer();
    @Module({ controllers: [ExtendedController] })
    class ExtendedModule {}
    const app = await boot(AuthModule.forRoot(issuer.options()), ExtendedModule);
    await get(app, '/extended', await issuer.sign({ scope: 'a' })).expect(200);
    await get(app, '/extended', await issuer.sign({ scope: 'a', blocked: true })).expect(401);
    await get(app, '/extended', await issuer.sign({ scope: 'b' })).expect(403);
  });
});

describe('validate', () => {
  it('maps the claims to request.user, with issuer, header and request, when it is async', async () => {
    const { issuer, api } = await issuerAndApi(create, {
      validate: async (claims, { issuer: name, header, request: http }) => ({
        sub: `${claims.sub}@${name}/${header.alg}/${typeof http}`,
      }),
      name: 'main',
    });
    await api
      .get('/orders', await issuer.sign({ sub: 'alice' }))
      .expect(200, { subject: 'alice@main/ES256/object' });
  });

  it('rejects on a falsy result or a TokenRejectedError, on cached tokens too, and passes other errors on', async () => {
    let outcome: () => unknown = () => ({ sub: 'alice' });
    const { issuer, api } = await issuerAndApi(create, { validate: () => outcome() });
    const token = await issuer.sign();
    await api.get('/orders', token).expect(200);
    outcome = () => undefined;
    expect((await api.get('/orders', token).expect(401)).body.errorCode).toBe('AUTH_TOKEN_REJECTED');
    outcome = () => {
      throw new TokenRejectedError('left the company');
    };
    expect((await api.get('/orders', token).expect(401)).text).not.toContain('company');
    outcome = () => {
      throw new Error('database down');
    };
    await api.get('/orders', token).expect(500);
  });
});

describe('several issuers', () => {
  async function start() {
    const [a, b] = [await startIssuer(), await startIssuer()];
    const issuers = [a.options({ name: 'a' }), b.options({ name: 'b' })];
    const app = await boot(AuthModule.forRoot({ issuers }), OrdersModule, IssuerModule);
    return { a, b, app };
  }

  @Controller('only-a')
  class OnlyAController {
    @Authorized({ issuers: ['a'] })
    @Get()
    get(): string {
      return 'ok';
    }
  }
  @Module({ controllers: [OnlyAController] })
  class IssuerModule {}

  it('serves them side by side, and distinguishes them by @Authorized({ issuers })', async () => {
    const { a, b, app } = await start();
    await get(app, '/orders', await a.sign()).expect(200);
    await get(app, '/orders', await b.sign()).expect(200);
    await get(app, '/only-a', await a.sign()).expect(200);
    await get(app, '/only-a', await b.sign()).expect(403);
  });

  it('logs a warning at boot when no issuer has a name that @Authorized({ issuers }) requires', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    onTestFinished(() => warn.mockRestore());
    const [a, c] = [await startIssuer(), await startIssuer()];
    await boot(AuthModule.forRoot(a.options({ name: 'a' })), IssuerModule);
    expect(warn).not.toHaveBeenCalled();
    await boot(AuthModule.forRoot(c.options({ name: 'c' })), IssuerModule);
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/OnlyAController\.get \(a\)\. The names are c$/)],
    ]);
  });

  it('returns a provider for each, and throws what to inject when the single one is used', async () => {
    const { a, app } = await start();
    expect(app.get(MetadataProviders).names).toEqual(['a', 'b']);
    expect((await app.get(MetadataProviders).get('a').current()).issuer).toBe(a.url);
    expect(() => app.get(MetadataProvider).status()).toThrow(/MetadataProviders/);
    expect(() => app.get(MetadataProviders).get('c')).toThrow(/No issuer is named c/);
  });
});

describe('startup', () => {
  it('rejects the boot with address and cause when it is require', async () => {
    const issuer = await startIssuer();
    issuer.fail({ endpoint: 'all', mode: { status: 500 } });
    const boots = startApi(create, issuer.options({ metadata: { startup: 'require' } }));
    await expect(boots).rejects.toThrow(new RegExp(`${issuer.url}.* answered 500`));
  });

  it('starts and answers 200 after a refresh when it is wait', async () => {
    const issuer = await startIssuer();
    issuer.fail({ endpoint: 'all', mode: 'refuse' });
    const api = await startApi(create, issuer.options({ metadata: { startup: 'wait' } }));
    expect(api.app.get(MetadataProvider).status().state).toBe('empty');
    issuer.recover();
    await api.app.get(MetadataProvider).refreshNow();
    await api.get('/orders', await issuer.sign()).expect(200);
  });

  it('makes no call until the first acceptable token when it is lazy', async () => {
    const { issuer, api } = await issuerAndApi(create, { metadata: { startup: 'lazy' } });
    await api.get('/orders', await issuer.sign({}, { expiresIn: '-1h' })).expect(401);
    await api.get('/orders', await issuer.sign({ aud: 'other' })).expect(401);
    expect(issuer.requests).toHaveLength(0);
    await api.get('/orders', await issuer.sign()).expect(200);
    expect(issuer.requests.map(({ endpoint }) => endpoint)).toEqual(['discovery', 'jwks']);
  });
});

describe('Authenticator', () => {
  it('authenticates raw tokens outside of requests', async () => {
    const { issuer, api } = await issuerAndApi(create);
    const authenticator = api.app.get(Authenticator);
    const token = await authenticator.authenticate(await issuer.sign({ sub: 'alice', scope: 'a' }));
    expect(token).toMatchObject({ claims: { sub: 'alice' }, scopes: ['a'], roles: [], issuer: issuer.url });
    expect(token.user).toBe(token.claims);
    expect(Object.isFrozen(token.claims)).toBe(true);
    await expect(authenticator.authenticate('junk')).rejects.toMatchObject({
      code: 'AUTH_TOKEN_MALFORMED',
    });
  });

  it('returns keys to a passport-jwt strategy of the application, through a rollover too', async () => {
    const issuer = await TestIssuer.start({ audience: 'api', alg: 'RS256' });
    onTestFinished(() => issuer.close());
    const api = await startApi(create, issuer.options());
    const strategy = new Strategy(
      {
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        secretOrKeyProvider: api.app.get(Authenticator).secretOrKeyProvider,
        algorithms: ['RS256'],
      },
      (payload: { sub: string }, done: (error: unknown, user: unknown) => void) => done(null, payload),
    );
    const authenticate = (token: string) =>
      new Promise((resolve) => {
        const run = Object.assign(Object.create(strategy), {
          success: resolve,
          fail: resolve,
          error: resolve,
        });
        run.authenticate({ headers: { authorization: `Bearer ${token}` } });
      });
    expect(await authenticate(await issuer.sign({ sub: 'alice' }))).toMatchObject({ sub: 'alice' });
    await issuer.rotateKeys({ keepOld: false });
    expect(await authenticate(await issuer.sign({ sub: 'bob' }))).toMatchObject({ sub: 'bob' });
    expect(await authenticate('junk')).toMatchObject({ code: 'AUTH_TOKEN_MALFORMED' });
  });

  it('answers with authenticatedAs in its place, without an issuer', async () => {
    const module = AuthModule.forRoot({ issuer: 'https://issuer.test', audience: 'api' });
    const builder = Test.createTestingModule({ imports: [module, OrdersModule] })
      .overrideProvider(Authenticator)
      .useValue(authenticatedAs({ sub: 'alice', scope: 'orders:read orders:write' }));
    const app = await create(builder);
    onTestFinished(() => app.close());
    await request(app.getHttpServer()).get('/orders').expect(200, { subject: 'alice' });
    await request(app.getHttpServer()).post('/orders').expect(201);
    await request(app.getHttpServer()).get('/orders/audit').expect(403);
  });
});
