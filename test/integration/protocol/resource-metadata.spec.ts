import { All, Controller, Get, Post, VersioningType, type INestApplication, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  AllowAnonymous,
  AuthConfigurationError,
  Authorized,
  AuthModule,
  type AuthModuleExtras,
  type HttpRequestLike,
  type IssuerOptions,
  type ResilientAuthOptions,
} from 'nestjs-resilient-auth';
import { protectedResourceMetadataUrl } from 'nestjs-resilient-auth/resource-metadata';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { platforms } from '../../support/apps/platforms.js';
import { startIssuer } from '../../support/apps/start-api.js';

const ROOT = '/.well-known/oauth-protected-resource';
const publicUrl = 'https://api.example.com/v1';

@Controller('files')
@Authorized({ scopes: ['files:read'] })
class FilesController {
  @Get()
  list(): string {
    return 'files';
  }

  @Authorized({ scopes: ['files:write', 'offline_access'], anyScope: ['eu', 'us'] })
  @Post()
  write(): string {
    return 'written';
  }

  @Authorized({ roles: ['admin'] })
  @Get('role')
  role(): string {
    return 'role';
  }
}

@Controller('plain')
@Authorized()
class PlainController {
  @Get()
  plain(): string {
    return 'plain';
  }

  @Authorized({ acr: ['phr'], scopes: ['files:read'] })
  @Get('strong')
  strong(): string {
    return 'strong';
  }
}

@Controller('open')
@Authorized({ scopes: ['never'] })
class OpenController {
  @AllowAnonymous()
  @Get()
  open(): string {
    return 'open';
  }
}

/** As of a gateway, or of a page with routes of its own. */
@Controller()
class EverythingController {
  @AllowAnonymous()
  @All('*')
  all(): string {
    return 'everything';
  }
}

type Options = Omit<Partial<ResilientAuthOptions>, 'issuers'> & Partial<IssuerOptions> & AuthModuleExtras;

/** What the application answers for paths that are not its own: Express goes on to the next route, Fastify has no other. */
const passedOnBy = {
  Express: { status: 200, text: 'everything' },
  Fastify: { status: 404, text: '{"message":"Not Found","statusCode":404}' },
};

describe.each(platforms)('protected resource metadata, on $platform', ({ platform, create }) => {
  const passedOn = passedOnBy[platform];
  async function boot(
    options: Options,
    configure?: (app: INestApplication) => void,
    controllers: Type[] = [FilesController, PlainController, OpenController, EverythingController],
  ) {
    const issuer = await startIssuer();
    const { secureByDefault, ...others } = options;
    const imports = [AuthModule.forRoot({ ...issuer.options({ publicUrl, ...others }), secureByDefault })];
    const app = await create(Test.createTestingModule({ imports, controllers }), configure);
    onTestFinished(() => app.close());
    const send = (method: 'get' | 'head' | 'post' | 'put' | 'delete' | 'options', path: string) =>
      request(app.getHttpServer())[method](path);
    const challengeOf = async (path: string, claims?: object, method: 'get' | 'post' = 'get') => {
      const call = send(method, path);
      if (claims) call.set('Authorization', `Bearer ${await issuer.sign({ ...claims })}`);
      const { status, headers } = await call;
      return { status, challenge: headers['www-authenticate'] };
    };
    return { issuer, send, challengeOf };
  }

  it.each([
    ['https://api.example.com', ROOT],
    ['https://api.example.com/', ROOT],
    ['https://api.example.com/v1', `${ROOT}/v1`],
    ['https://api.example.com/v1/', `${ROOT}/v1/`],
    ['https://api.example.com/v1/', `${ROOT}/v1`],
    ['https://api.example.com/v1', `${ROOT}/v1/`],
    ['https://api.example.com/a:b/(c)*', `${ROOT}/a:b/(c)*`],
    ['https://api.example.com:8443/%C3%A4/ö', `${ROOT}/%C3%A4/%C3%B6`],
  ])(
    '[P1-1] answers for %s at %s, outside of prefix, versions and routes for every path',
    async (url, path) => {
      const { send } = await boot({ publicUrl: url, protectedResource: true }, (app) => {
        app.setGlobalPrefix('api');
        app.enableVersioning({ type: VersioningType.URI, defaultVersion: '7' });
      });
      const { body } = await send('get', `${path}?a=b`).expect(200);
      expect(body.resource).toBe(url);
    },
  );

  it('[P1-1] leaves other well-known paths to the application', async () => {
    const { send } = await boot({ protectedResource: true });
    for (const path of [ROOT, `${ROOT}/v2`, `${ROOT}/v1/x`, `${ROOT}/V1`, `${ROOT}/v1//`]) {
      const { status, text } = await send('get', path);
      expect({ status, text }).toEqual(passedOn);
    }
  });

  it('[P1-1] adds nothing when no option names it', async () => {
    const { send, challengeOf } = await boot({});
    await send('get', `${ROOT}/v1`).expect(200, 'everything');
    expect((await challengeOf('/files')).challenge).toBe('Bearer');
  });

  it('[P1-2] answers the members that are known, without a token, also when the application is secure by default', async () => {
    const { issuer, send } = await boot({ protectedResource: true, secureByDefault: true });
    const { headers, body } = await send('get', `${ROOT}/v1`).expect(200);
    expect(headers['content-type']).toMatch(/^application\/json(;|$)/);
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['cache-control']).toBe('public, max-age=3600');
    expect(body).toEqual({
      resource: publicUrl,
      authorization_servers: [issuer.url],
      scopes_supported: ['eu', 'files:read', 'files:write', 'us'],
      bearer_methods_supported: ['header'],
    });
  });

  it('[P1-2] answers every member that the options give', async () => {
    const { send } = await boot({
      protectedResource: {
        resource: 'https://api.example.com/v1/mcp',
        name: 'Orders "A" & B',
        documentation: 'https://docs.example.com/?a=b',
        policy: 'https://docs.example.com/policy',
        termsOfService: 'https://docs.example.com/terms',
        scopesSupported: ['x', 'offline_access'],
        authorizationServers: ['https://one.example.com', 'https://two.example.com/'],
        maxAge: '90500ms',
      },
      jwtFromRequest: () => null,
    });
    const { headers, body } = await send('get', `${ROOT}/v1/mcp`).expect(200);
    expect(headers['cache-control']).toBe('public, max-age=90');
    expect(body).toEqual({
      resource: 'https://api.example.com/v1/mcp',
      authorization_servers: ['https://one.example.com', 'https://two.example.com/'],
      scopes_supported: ['x', 'offline_access'],
      resource_name: 'Orders "A" & B',
      resource_documentation: 'https://docs.example.com/?a=b',
      resource_policy_uri: 'https://docs.example.com/policy',
      resource_tos_uri: 'https://docs.example.com/terms',
    });
  });

  it('[P1-2] leaves members out that have no value', async () => {
    const { send } = await boot({ protectedResource: { scopesSupported: [] } });
    expect((await send('get', `${ROOT}/v1`).expect(200)).body).not.toHaveProperty('scopes_supported');
  });

  it('[P1-7] answers what tokens may be bound to only where that is switched on', async () => {
    const off = await boot({ protectedResource: true });
    const { body } = await off.send('get', `${ROOT}/v1`).expect(200);
    expect(Object.keys(body).filter((name) => /^(tls|dpop)_/.test(name))).toEqual([]);
    const on = await boot({ protectedResource: true, mtls: { from: 'socket' } });
    const document = (await on.send('get', `${ROOT}/v1`).expect(200)).body;
    expect(document.tls_client_certificate_bound_access_tokens).toBe(true);
    expect(document).not.toHaveProperty('dpop_signing_alg_values_supported');
    const dpop = { dpop: { algorithms: ['ES256', 'Ed25519'] }, protectedResource: true } as const;
    for (const [options, required] of [
      [{}, undefined],
      [{ senderConstraint: 'require' }, true],
      [{ senderConstraint: 'require', mtls: { from: 'socket' } }, undefined],
    ] as const) {
      const bound = await boot({ ...dpop, ...options });
      const members = (await bound.send('get', `${ROOT}/v1`).expect(200)).body;
      expect(members.dpop_signing_alg_values_supported).toEqual(['ES256', 'Ed25519']);
      expect(members.dpop_bound_access_tokens_required).toBe(required);
    }
  });

  it('[P1-4] names the metadata in the challenge of each scheme', async () => {
    const { challengeOf } = await boot({ dpop: { algorithms: ['ES256'] }, protectedResource: true });
    const named = `scope="files:read", resource_metadata="https://api.example.com${ROOT}/v1"`;
    expect((await challengeOf('/files')).challenge).toBe(`Bearer ${named}, DPoP algs="ES256", ${named}`);
  });

  it('[P1-2] answers HEAD, preflights, and 405 with Allow to other methods', async () => {
    const { send } = await boot({ protectedResource: true });
    const head = await send('head', `${ROOT}/v1`).expect(200);
    expect(head.headers['cache-control']).toBe('public, max-age=3600');
    const preflight = await send('options', `${ROOT}/v1`)
      .set('Origin', 'https://app.example')
      .set('Access-Control-Request-Method', 'GET')
      .set('Access-Control-Request-Headers', 'mcp-protocol-version')
      .expect(204);
    expect(preflight.headers['access-control-allow-origin']).toBe('*');
    expect(preflight.headers['access-control-allow-headers']).toBe('*');
    for (const method of ['post', 'put', 'delete'] as const) {
      const { headers } = await send(method, `${ROOT}/v1`).expect(405);
      expect(headers['allow']).toBe('GET, HEAD, OPTIONS');
    }
  });

  it('[P1-2] answers every origin, also where the application allows one only', async () => {
    const { send } = await boot(
      { protectedResource: true },
      (app) => app.enableCors({ origin: 'https://app.example' }),
      [PlainController],
    );
    const { headers } = await send('get', `${ROOT}/v1`).set('Origin', 'https://other.example').expect(200);
    expect(headers['access-control-allow-origin']).toBe('*');
  });

  it.each([
    'https://API.example.com:443/v1',
    'https://api.example.com/%7euser',
    'https://api.example.com/a/../v1',
  ])('[P1-3] answers resource byte for byte: %s', async (resource) => {
    const { send, challengeOf } = await boot({ publicUrl: resource, protectedResource: true });
    const { challenge } = await challengeOf('/plain');
    const url = new URL(/resource_metadata="([^"]+)"/.exec(challenge ?? '')?.[1] ?? '');
    expect((await send('get', url.pathname).expect(200)).text).toContain(`"resource":"${resource}"`);
  });

  it('[P1-3] answers the same to a forged Host', async () => {
    const { send } = await boot({ protectedResource: true });
    const get = (path: string) =>
      send('get', path)
        .set('Host', 'evil.example')
        .set('X-Forwarded-Host', 'evil.example')
        .set('X-Forwarded-Proto', 'http')
        .set('Forwarded', 'host=evil.example');
    expect((await get(`${ROOT}/v1`).expect(200)).body.resource).toBe(publicUrl);
    const { headers } = await get('/plain').expect(401);
    expect(headers['www-authenticate']).toBe(`Bearer resource_metadata="https://api.example.com${ROOT}/v1"`);
  });

  it('[P1-4] [P1-5] names the metadata in every challenge of 401 and 403, and the scopes of the operation', async () => {
    const { challengeOf, send } = await boot({ protectedResource: true, realm: 'r' });
    const named = `resource_metadata="https://api.example.com${ROOT}/v1"`;
    expect(await challengeOf('/plain')).toEqual({ status: 401, challenge: `Bearer realm="r", ${named}` });
    expect(await challengeOf('/files')).toEqual({
      status: 401,
      challenge: `Bearer realm="r", scope="files:read", ${named}`,
    });
    expect(await challengeOf('/files', undefined, 'post')).toEqual({
      status: 401,
      challenge: `Bearer realm="r", scope="files:write offline_access files:read eu us", ${named}`,
    });
    expect(await challengeOf('/files', { aud: 'other' })).toEqual({
      status: 401,
      challenge: `Bearer realm="r", error="invalid_token", error_description="The access token is meant for another audience", scope="files:read", ${named}`,
    });
    for (const scope of ['', 'files:read files:write offline_access', 'eu'])
      expect(await challengeOf('/files', { scope }, 'post')).toEqual({
        status: 403,
        challenge: `Bearer realm="r", error="insufficient_scope", scope="files:write offline_access files:read eu us", ${named}`,
      });
    expect((await challengeOf('/plain/strong', {})).challenge).toMatch(
      /error="insufficient_user_authentication", .*acr_values="phr", scope="files:read", resource_metadata="/,
    );
    expect(await challengeOf('/files/role', { scope: 'files:read' })).toEqual({ status: 403 });
    const { headers } = await send('get', '/plain').set('Authorization', 'Bearer').expect(400);
    expect(headers['www-authenticate']).not.toContain('resource_metadata');
  });

  it('[P0-1] [P1-3] answers for the resource that a function of the request names', async () => {
    const { send } = await boot({
      publicUrl: (call) => new URL(`https://${tenantOf(call)}.example.com/v1`),
      protectedResource: true,
    });
    for (const tenant of ['a', 'b']) {
      const { body } = await send('get', `${ROOT}/v1`).set('X-Tenant', tenant).expect(200);
      expect(body.resource).toBe(`https://${tenant}.example.com/v1`);
      const { headers } = await send('get', '/plain').set('X-Tenant', tenant).expect(401);
      expect(headers['www-authenticate']).toContain(`"https://${tenant}.example.com${ROOT}/v1"`);
    }
  });

  it('[P0-1] answers 500 for the metadata and still refuses when the function throws', async () => {
    const { send } = await boot({
      publicUrl: () => {
        throw new Error('secret of the application');
      },
      protectedResource: true,
    });
    const { body, text } = await send('get', `${ROOT}/v1`).expect(500);
    expect(body.errorCode).toBe('AUTH_CONFIGURATION_INVALID');
    expect(text).not.toContain('secret');
    await send('get', '/plain').expect(401).expect('WWW-Authenticate', 'Bearer');
  });
});

describe('the option protectedResource', () => {
  const boot = async (options: object) => {
    const base = { issuer: 'https://issuer.test', audience: 'api' };
    const imports = [AuthModule.forRoot(Object({ ...base, ...options }))];
    const failure: unknown = await Test.createTestingModule({ imports })
      .compile()
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    return failure instanceof AuthConfigurationError ? failure.problems.map(({ option }) => option) : failure;
  };

  it('[P0-1] fails the boot without publicUrl, unless resource says it', async () => {
    expect(await boot({ protectedResource: true })).toEqual(['publicUrl']);
    expect(await boot({ protectedResource: { name: 'x' } })).toEqual(['publicUrl']);
    expect(await boot({ protectedResource: { resource: 'https://a.example' } })).toBeUndefined();
    expect(await boot({ protectedResource: true, publicUrl: 'https://a.example' })).toBeUndefined();
  });

  it('[P1-6] fails the boot when an issuer holds {tenantid} and authorizationServers is missing', async () => {
    const entra = {
      issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
      metadataAddress: 'https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration',
      tenants: null,
      publicUrl: 'https://a.example',
    };
    expect(await boot({ ...entra, protectedResource: true })).toEqual([
      'protectedResource.authorizationServers',
    ]);
    const authorizationServers = ['https://login.microsoftonline.com/common/v2.0'];
    expect(await boot({ ...entra, protectedResource: { authorizationServers } })).toBeUndefined();
    expect(await boot(entra)).toBeUndefined();
  });
});

describe('protectedResourceMetadataUrl', () => {
  it('[P1-1] returns the address of the metadata of a resource', () => {
    expect(protectedResourceMetadataUrl('https://a.example/b/')).toBe(`https://a.example${ROOT}/b/`);
    expect(protectedResourceMetadataUrl('https://a.example/')).toBe(`https://a.example${ROOT}`);
    expect(() => protectedResourceMetadataUrl('http://a.example')).toThrow(AuthConfigurationError);
  });
});

function tenantOf(call: unknown): string {
  const { headers }: HttpRequestLike & { headers?: { 'x-tenant'?: unknown } } = Object(call);
  return String(headers?.['x-tenant']);
}
