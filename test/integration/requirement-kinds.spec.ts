import { Controller, Get, Inject, Injectable, UseGuards, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  AUTH_EXPOSED_HEADERS,
  Authenticator,
  Authorized,
  AuthorizedGuard,
  AuthModule,
  CurrentToken,
  CurrentUser,
  MetadataUnavailableError,
  toHttpException,
  TokenRejectedError,
  type ResilientAuthOptions,
} from 'nestjs-resilient-auth';
import { ExtractJwt } from 'passport-jwt';
import request from 'supertest';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { platforms } from '../support/apps/platforms.js';
import { startIssuer } from '../support/apps/start-api.js';

class Base {
  constructor(readonly claims: { readonly sub?: unknown }) {}

  get email(): string {
    return `${String(this.claims.sub)}@example.com`;
  }
}

class Entity extends Base {
  password(): string {
    return 'a method';
  }
}

@Controller('kinds')
class KindsController {
  @Authorized({ optional: true })
  @Get('optional')
  optional(@CurrentUser('sub') subject: unknown, @CurrentToken() token: unknown): object {
    return { subject: subject ?? null, hasToken: token !== undefined };
  }

  @Authorized({ anyScope: ['files:read', 'files:admin'] })
  @Get('any')
  any(): string {
    return 'any';
  }

  @Authorized({ scopes: ['files:read'] })
  @Get('read')
  read(): string {
    return 'read';
  }
}

@Authorized()
@Controller('closed')
class ClosedController {
  @Authorized({ optional: true })
  @Get()
  get(): string {
    return 'closed';
  }
}

@Authorized()
@Controller('entity')
class EntityController {
  @Get()
  get(
    @CurrentUser('email') email: unknown,
    @CurrentUser('password') method: unknown,
    @CurrentUser('constructor') inherited: unknown,
    @CurrentUser('__proto__') prototype: unknown,
    @CurrentUser('toString') text: unknown,
  ): object {
    return { email, others: [method, inherited, prototype, text].filter((value) => value !== undefined) };
  }
}

describe.each(platforms)('@Authorized, on $platform', ({ create }) => {
  async function boot(options: Partial<ResilientAuthOptions> & { secureByDefault?: boolean } = {}) {
    const issuer = await startIssuer();
    const imports = [AuthModule.forRoot({ ...issuer.options(), ...options })];
    const controllers: Type[] = [KindsController, ClosedController, EntityController];
    const app = await create(Test.createTestingModule({ imports, controllers }));
    onTestFinished(() => app.close());
    const get = async (path: string, claims?: object) => {
      const call = request(app.getHttpServer()).get(path);
      return claims ? call.set('Authorization', `Bearer ${await issuer.sign({ ...claims })}`) : call;
    };
    return { issuer, app, get };
  }

  it.each([false, true])(
    '[P5-1] answers without a user when credentials are optional (secureByDefault: %s)',
    async (secureByDefault) => {
      const { issuer, app, get } = await boot({ secureByDefault });
      expect((await get('/kinds/optional')).body).toEqual({ subject: null, hasToken: false });
      expect((await get('/kinds/optional', { sub: 'alice' })).body).toEqual({
        subject: 'alice',
        hasToken: true,
      });
      const bad = (authorization: string) =>
        request(app.getHttpServer()).get('/kinds/optional').set('Authorization', authorization);
      expect((await bad('Bearer bad').expect(401)).body.errorCode).toBe('AUTH_TOKEN_MALFORMED');
      await bad('Bearer').expect(400);
      await bad(`Bearer ${await issuer.sign({}, { expiresIn: '-1h' })}`).expect(401);
      issuer.fail({ mode: 'refuse' });
      await issuer.rotateKeys({ keepOld: false });
      expect((await get('/kinds/optional', { sub: 'alice' })).status).toBe(503);
    },
  );

  it('[P5-1] rejects a request without credentials when another @Authorized on the way up is not optional', async () => {
    const { get } = await boot();
    expect((await get('/closed')).body.errorCode).toBe('AUTH_TOKEN_MISSING');
    expect((await get('/closed', {})).status).toBe(200);
  });

  it('[P5-2] accepts one of the scopes, and lists all of them in the challenge', async () => {
    const { get } = await boot();
    expect((await get('/kinds/any', { scope: 'files:admin x' })).status).toBe(200);
    const { status, headers } = await get('/kinds/any', { scope: 'x' });
    expect(status).toBe(403);
    expect(headers['www-authenticate']).toBe(
      'Bearer error="insufficient_scope", scope="files:read files:admin"',
    );
  });

  it('[P0-4] accepts a scope that implies the required one, through others as well', async () => {
    const { get } = await boot({ scopeImplies: { root: ['files:write'], 'files:write': ['files:read'] } });
    for (const scope of ['files:read', 'files:write', 'root']) {
      expect((await get('/kinds/read', { scope })).status).toBe(200);
      expect((await get('/kinds/any', { scope })).status).toBe(200);
    }
    const { status, headers } = await get('/kinds/read', { scope: 'files:rea' });
    expect({ status, challenge: headers['www-authenticate'] }).toEqual({
      status: 403,
      challenge: 'Bearer error="insufficient_scope", scope="files:read"',
    });
  });

  it('returns getters of the class of the user, and nothing that every object inherits', async () => {
    const { get } = await boot({ validate: (claims) => new Entity(claims) });
    expect((await get('/entity', { sub: 'alice' })).body).toEqual({ email: 'alice@example.com', others: [] });
  });

  it.each([
    ['x'.repeat(16_000), 401, 'AUTH_TOKEN_MISSING'],
    ['Bearer', 400, 'AUTH_REQUEST_INVALID'],
    [`Bearer ${'x'.repeat(20)} y`, 400, 'AUTH_REQUEST_INVALID'],
    [`Bearer\txy`, 400, 'AUTH_REQUEST_INVALID'],
  ])(
    'calls an extractor of passport-jwt only when the header has the form scheme SP token',
    async (authorization, status, errorCode) => {
      const extractor = vi.fn<(request: object) => string | null>(ExtractJwt.fromAuthHeaderAsBearerToken());
      const { issuer, app } = await boot({ jwtFromRequest: extractor });
      const get = (header: string) =>
        request(app.getHttpServer()).get('/entity').set('Authorization', header);
      const refused = await get(authorization);
      expect([refused.status, refused.body.errorCode]).toEqual([status, errorCode]);
      expect(extractor).not.toHaveBeenCalled();
      await get(`Bearer ${await issuer.sign()}`).expect(200);
      expect(extractor).toHaveBeenCalledTimes(1);
    },
  );
});

describe('@Authorized({ optional: true })', () => {
  it.each([
    { scopes: ['a'] },
    { anyScope: ['a'] },
    { roles: ['a'] },
    { issuers: ['a'] },
    { policy: () => true },
  ])('[P5-1] throws at decoration when it stands with requirements: %j', (requirement) => {
    expect(() => Authorized({ optional: true, ...requirement })).toThrow(/cannot stand with requirements/);
    expect(() => Authorized({ optional: false, ...requirement })).not.toThrow();
  });

  const SCOPES = 'a list of at least one scope: one per string, without spaces, quotes and backslashes';

  it.each([
    ['{"optional":"yes"}', '@Authorized({ optional }) takes true or false'],
    ['{"anyScope":[]}', `@Authorized({ anyScope }) takes ${SCOPES}`],
    ['{"anyScope":["a b"]}', `@Authorized({ anyScope }) takes ${SCOPES}`],
  ])('throws at decoration when a value is not allowed: %s', (options, message) => {
    expect(() => Authorized(JSON.parse(options))).toThrow(new TypeError(message));
  });
});

describe('toHttpException', () => {
  it('returns the exception and sets the headers that the guard would', () => {
    const set: Record<string, string> = {};
    const setHeader = (name: string, value: string): void => void (set[name] = value);
    const exception = toHttpException(new TokenRejectedError('secret'), { realm: 'r', setHeader });
    expect(exception.getStatus()).toBe(401);
    expect(exception.getResponse()).toMatchObject({ errorCode: 'AUTH_TOKEN_REJECTED' });
    expect(JSON.stringify(exception.getResponse())).not.toContain('secret');
    expect(set['WWW-Authenticate']).toMatch(/^Bearer realm="r", error="invalid_token"/);
    expect(toHttpException(new MetadataUnavailableError('down', 7), { setHeader }).getStatus()).toBe(503);
    expect(set['Retry-After']).toBe('7');
  });
});

describe('AUTH_EXPOSED_HEADERS', () => {
  it('[P0-5] names the headers of refusals', () => {
    expect(AUTH_EXPOSED_HEADERS).toEqual(['WWW-Authenticate', 'Retry-After', 'DPoP-Nonce']);
  });
});

describe('a module without AuthModule', () => {
  it('compiles with a controller that is @Authorized, for a unit test of it', async () => {
    const module = await Test.createTestingModule({ controllers: [EntityController] }).compile();
    expect(module.get(EntityController).get('e', undefined, undefined, undefined, undefined)).toMatchObject({
      email: 'e',
    });
  });

  it('rejects the boot and names what to add', async () => {
    @UseGuards(AuthorizedGuard)
    @Controller()
    class GuardedController {}
    for (const controller of [EntityController, GuardedController]) {
      const module = await Test.createTestingModule({ controllers: [controller] }).compile();
      await expect(module.createNestApplication({ logger: false }).init()).rejects.toThrow(
        /Authenticator.*import AuthModule\.forRoot.*overrideGuard\(AuthorizedGuard\)/,
      );
    }
  });

  it('rejects a provider that injects Authenticator, as before', async () => {
    @Injectable()
    class Handshake {
      constructor(@Inject(Authenticator) readonly authenticator: Authenticator) {}
    }
    await expect(Test.createTestingModule({ providers: [Handshake] }).compile()).rejects.toThrow(
      /Authenticator/,
    );
  });
});
