import {
  Controller,
  Get,
  Module,
  Param,
  Post,
  VersioningType,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiExcludeEndpoint,
  ApiOperation,
  ApiResponse,
  ApiTags,
  DocumentBuilder,
  SwaggerModule,
  type OpenAPIObject,
  type SwaggerDocumentOptions,
} from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import { validate } from '@readme/openapi-parser';
import {
  AllowAnonymous,
  Authorized,
  AuthModule,
  type AuthModuleExtras,
  type ResilientAuthOptions,
} from 'nestjs-resilient-auth';
import { documentAuthorization } from 'nestjs-resilient-auth/swagger';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { codesWith } from '../../lib/authorized/answers/auth-answer.js';
import { startIssuer } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { findBrowser, launchBrowser } from '../support/browser/find-browser.js';

@Controller('orders')
@Authorized({ scopes: ['orders:read'] })
class OrdersController {
  @Get()
  list(): string[] {
    return ['milk'];
  }

  @Post()
  @Authorized({ scopes: ['orders:write'] })
  create(): void {}

  @Get('any')
  @Authorized({ anyScope: ['a', 'b'] })
  any(): void {}

  @Get('public')
  @AllowAnonymous()
  public(): void {}

  @Get('own/:id')
  @ApiOperation({ operationId: 'own' })
  @ApiResponse({ status: 401, description: 'In our own words' })
  @ApiBearerAuth('mine')
  own(@Param('id') _id: string): void {}

  @Get('hidden')
  @ApiExcludeEndpoint()
  hidden(): void {}
}

@Controller('plain')
class PlainController {
  @Get()
  undecorated(): void {}

  @Get('any-token')
  @Authorized()
  anyToken(): void {}

  @Get('optional')
  @Authorized({ optional: true })
  optional(): void {}

  @Get('first')
  @Authorized({ issuers: ['first'] })
  first(): void {}

  @Get('login')
  @Authorized({ acr: ['phr'] })
  login(): void {}
}

abstract class Base {
  @Get('shared')
  shared(): void {}
}

/** Two classes of one name, which share a handler and protect it differently. */
const twins = [
  (() => {
    @Controller('left')
    @ApiTags('left')
    @Authorized({ roles: ['left'] })
    class Twin extends Base {}
    return Twin;
  })(),
  (() => {
    @Controller('right')
    @AllowAnonymous()
    class Twin extends Base {}
    return Twin;
  })(),
];

@Module({ controllers: [OrdersController, PlainController] })
class ApiModule {}

@Module({ controllers: twins })
class TwinsModule {}

type Options = ResilientAuthOptions & AuthModuleExtras;

const example = {
  issuer: 'https://login.example.com/',
  audience: 'api',
  metadata: { startup: 'lazy' },
} as const;

interface Setting {
  readonly options?: Options;
  readonly module?: Type;
  readonly prepare?: (app: INestApplication) => unknown;
  readonly how?: SwaggerDocumentOptions;
  /** `'3.1.0'`, for example. */
  readonly openapi?: string;
}

/** The document of an application that is not initialized yet, as in `main.ts`; valid by a parser of OpenAPI. */
async function documentOf({
  options = example,
  module = ApiModule,
  prepare,
  how,
  openapi = '3.0.0',
}: Setting = {}): Promise<OpenAPIObject> {
  const testing = await Test.createTestingModule({
    imports: [AuthModule.forRoot(options), module],
  }).compile();
  const app = testing.createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  await prepare?.(app);
  const config = new DocumentBuilder()
    .setTitle('Orders')
    .setOpenAPIVersion(openapi)
    .addBearerAuth({ type: 'http' }, 'mine')
    .build();
  const document = documentAuthorization(SwaggerModule.createDocument(app, config, how), app);
  const sent = JSON.stringify(document);
  expect(sent).not.toContain('nestjs-resilient-auth');
  expect(JSON.stringify(SwaggerModule.createDocument(app, config, how))).not.toContain(
    'nestjs-resilient-auth',
  );
  expect(await validate(JSON.parse(sent))).toEqual({ valid: true, warnings: [], specification: 'OpenAPI' });
  return JSON.parse(sent);
}

function operation(document: OpenAPIObject, path: string, method: 'get' | 'post' = 'get') {
  const found = document.paths[path]?.[method];
  if (!found) throw new Error(`There is no ${method} ${path} in ${Object.keys(document.paths).join()}`);
  const statuses = Object.keys(found.responses).filter((status) => Number(status) > 400);
  return { security: found.security, statuses };
}
const ref = (name: string) => ({ $ref: `#/components/responses/${name}` });

describe('documentAuthorization', () => {
  it('[E4] documents scopes added up, and 401, 403 and 503, when a handler requires scopes', async () => {
    const document = await documentOf();
    expect(operation(document, '/orders')).toEqual({
      security: [{ openid: ['orders:read'] }, { accessToken: [] }],
      statuses: ['401', '403', '503'],
    });
    expect(operation(document, '/orders', 'post').security).toEqual([
      { openid: expect.arrayContaining(['orders:read', 'orders:write']) },
      { accessToken: [] },
    ]);
    expect(document.paths['/orders']?.get?.responses).toMatchObject({
      401: ref('AuthUnauthorized'),
      403: ref('AuthForbidden'),
      503: ref('AuthUnavailable'),
    });
  });

  it('[E4] documents each scope as an alternative when any of several suffices', async () => {
    const { security } = operation(await documentOf(), '/orders/any');
    expect(security).toEqual([
      { openid: ['orders:read', 'a'] },
      { openid: ['orders:read', 'b'] },
      { accessToken: [] },
    ]);
  });

  it('[E4] documents the discovery address of the issuer, and a token for Swagger UI', async () => {
    expect((await documentOf()).components?.securitySchemes).toMatchObject({
      openid: {
        type: 'openIdConnect',
        openIdConnectUrl: 'https://login.example.com/.well-known/openid-configuration',
      },
      accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
    });
  });

  it('[E4] documents no security when a handler is anonymous, and nothing when it is not decorated', async () => {
    const document = await documentOf();
    expect(operation(document, '/orders/public')).toEqual({ security: [], statuses: [] });
    expect(operation(document, '/plain')).toEqual({ security: undefined, statuses: [] });
  });

  it('[E4] documents no 403 when any valid token will do, and that none is needed when it is optional', async () => {
    const document = await documentOf();
    expect(operation(document, '/plain/any-token')).toEqual({
      security: [{ openid: [] }, { accessToken: [] }],
      statuses: ['401', '503'],
    });
    expect(operation(document, '/plain/optional')).toEqual({
      security: [{ openid: [] }, { accessToken: [] }, {}],
      statuses: ['401', '503'],
    });
    // A login that is too weak is answered 401.
    expect(operation(document, '/plain/login').statuses).toEqual(['401', '503']);
  });

  it('[E4] keeps the answers and the security that the application has documented itself', async () => {
    const responses = (await documentOf()).paths['/orders/own/{id}']?.get;
    expect(responses?.responses).toMatchObject({
      401: { description: 'In our own words' },
      403: ref('AuthForbidden'),
    });
    expect(responses?.security).toEqual([{ mine: [] }]);
  });

  it('[E4] documents each class by itself when classes of one name share a handler', async () => {
    const how = {
      operationIdFactory: (_: string, method: string, version?: string) =>
        `${method}${version ?? Math.random()}`,
    };
    const document = await documentOf({ module: TwinsModule, how });
    expect(operation(document, '/left/shared')).toEqual({
      security: [{ openid: [] }, { accessToken: [] }],
      statuses: ['401', '403', '503'],
    });
    expect(operation(document, '/right/shared')).toEqual({ security: [], statuses: [] });
    expect(document.paths['/left/shared']?.get?.tags).toEqual(['left']);
  });

  it('[E4] documents undecorated handlers as protected when the application is secure by default', async () => {
    const document = await documentOf({ options: { ...example, secureByDefault: true } });
    expect(operation(document, '/plain')).toEqual({
      security: [{ openid: [] }, { accessToken: [] }],
      statuses: ['401', '503'],
    });
    expect(operation(document, '/orders/public')).toEqual({ security: [], statuses: [] });
  });

  it('[E4] finds the handlers when there are a global prefix and versions, also in a document without the prefix', async () => {
    const prepare = (app: INestApplication) =>
      app
        .setGlobalPrefix('shop', { exclude: ['plain'] })
        .enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    const document = await documentOf({ prepare });
    expect(operation(document, '/shop/v1/orders').security).toEqual([
      { openid: ['orders:read'] },
      { accessToken: [] },
    ]);
    const plain = await documentOf({ prepare, how: { ignoreGlobalPrefix: true } });
    expect(operation(plain, '/v1/orders').statuses).toEqual(['401', '403', '503']);
  });

  it('[E4] returns a valid document of OpenAPI 3.1 when that is asked for', async () => {
    expect(operation(await documentOf({ openapi: '3.1.0' }), '/orders').statuses).toHaveLength(3);
  });

  it('[E4] documents a scheme per issuer, and only those that a handler accepts, when there are several', async () => {
    const inner = {
      issuer: 'https://first.example',
      name: 'first',
      audience: 'api',
      metadataAddress: 'https://inner.test/d',
    };
    const issuers = [
      { ...inner, metadata: example.metadata },
      { ...example, issuer: 'https://second.example/realms/a', name: 'https://second.example/realms/a' },
      { ...example, issuer: 'https://third.example', name: 'third', jwksUri: 'https://third.example/keys' },
    ];
    const document = await documentOf({ options: { issuers } });
    const { securitySchemes } = document.components ?? {};
    // The inner address is nothing for clients, and an issuer without a document has no scheme of its own.
    expect(securitySchemes).toMatchObject({
      first: { openIdConnectUrl: 'https://first.example/.well-known/openid-configuration' },
      'second.example-realms-a': {
        openIdConnectUrl: 'https://second.example/realms/a/.well-known/openid-configuration',
      },
    });
    expect(Object.keys(securitySchemes ?? {})).toHaveLength(4);
    expect(operation(document, '/orders').security).toEqual([
      { first: ['orders:read'] },
      { 'second.example-realms-a': ['orders:read'] },
      { accessToken: [] },
    ]);
    expect(operation(document, '/plain/first')).toEqual({
      security: [{ first: [] }, { accessToken: [] }],
      statuses: ['401', '403', '503'],
    });
  });

  it('[E4] documents the scheme DPoP alone when a handler requires a proof, and beside the others when the option is named', async () => {
    @Authorized()
    @Controller('money')
    class MoneyController {
      @Get()
      list(): void {}

      @Authorized({ dpop: true })
      @Post()
      pay(): void {}
    }
    @Module({ controllers: [MoneyController] })
    class MoneyModule {}
    const options = { ...example, dpop: {}, publicUrl: 'https://api.example.com' };
    const { paths, components } = await documentOf({ options, module: MoneyModule });
    expect(paths['/money']?.post?.security).toEqual([{ dpop: [] }]);
    expect(paths['/money']?.get?.security).toEqual([{ openid: [] }, { accessToken: [] }, { dpop: [] }]);
    expect(components?.securitySchemes?.['dpop']).toMatchObject({ type: 'http', scheme: 'DPoP' });
  });

  it.each([
    ['3.0.0', {}],
    ['3.1.0', { clientCertificate: [] }],
  ])(
    '[E4] documents the client certificate as far as OpenAPI has a scheme for it: %s',
    async (openapi, certificate) => {
      @Authorized()
      @Controller('money')
      class MoneyController {
        @Get()
        list(): void {}

        @Authorized({ certificateBound: true, scopes: ['pay'] })
        @Post()
        pay(): void {}
      }
      @Module({ controllers: [MoneyController] })
      class MoneyModule {}
      const options: Options = { ...example, mtls: { from: 'socket' } };
      const { paths, components } = await documentOf({ options, module: MoneyModule, openapi });
      expect(paths['/money']?.post?.security).toEqual([
        { openid: ['pay'], ...certificate },
        { accessToken: [], ...certificate },
      ]);
      expect(paths['/money']?.get?.security).toEqual([{ openid: [] }, { accessToken: [] }]);
      const names = ['accessToken', ...Object.keys(certificate), 'openid', 'mine'];
      expect(Object.keys(components?.securitySchemes ?? {})).toEqual(names);
    },
  );

  it('[E4] adds no component when nothing is protected', async () => {
    @Controller('open')
    @AllowAnonymous()
    class OpenController {
      @Get()
      get(): void {}
    }
    @Module({ controllers: [OpenController] })
    class OpenModule {}
    const { components } = await documentOf({ module: OpenModule });
    expect(components).toEqual({
      schemas: {},
      securitySchemes: { mine: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    });
  });
});

describe.each(platforms)('the document of an application on $platform', ({ create }) => {
  it('[E4] documents the answers that the application gives, with every code of the table, when it refuses', async () => {
    const issuer = await startIssuer();
    const app = await create(
      Test.createTestingModule({ imports: [AuthModule.forRoot(issuer.options()), ApiModule] }),
    );
    onTestFinished(() => app.close());
    const config = new DocumentBuilder().setTitle('Orders').build();
    const { components } = documentAuthorization(SwaggerModule.createDocument(app, config), app);
    const call = (token?: string) => {
      const test = request(app.getHttpServer()).get('/orders');
      return token === undefined ? test : test.set('Authorization', `Bearer ${token}`);
    };
    const answers = {
      AuthUnauthorized: await call(),
      AuthForbidden: await call(await issuer.sign({ sub: 'alice' })),
      AuthUnavailable: await (async () => {
        issuer.fail({ mode: { status: 500 } });
        await issuer.rotateKeys();
        return call(await issuer.sign({ sub: 'alice' }));
      })(),
    };
    for (const [name, { status, body, headers }] of Object.entries(answers)) {
      const schema: unknown = components?.schemas?.[name];
      const codes = [401, 403, 503] as const;
      const code = codes.find((candidate) => candidate === status);
      if (code === undefined) throw new Error(`${name} was answered ${status}`);
      expect(schema).toMatchObject({
        required: Object.keys(body),
        properties: {
          error: { enum: [body.error] },
          statusCode: { enum: [status] },
          errorCode: { enum: codesWith(code).map((entry) => entry.code) },
        },
      });
      expect(codesWith(code).map((entry) => entry.code)).toContain(body.errorCode);
      const described: unknown = components?.responses?.[name];
      const { headers: documented }: { headers?: object } = Object(described);
      for (const header of Object.keys(documented ?? {}).filter((header) => header !== 'WWW-Authenticate'))
        expect(Object.keys(headers)).toContain(header.toLowerCase());
    }
  });
});

const executable = findBrowser();

describe.skipIf(!executable)('Swagger UI in a browser', () => {
  it('[E4] answers 200 with a token that was entered, and 401 without, when an operation is tried out', async () => {
    const issuer = await startIssuer();
    const testing = await Test.createTestingModule({
      imports: [AuthModule.forRoot({ ...issuer.options(), secureByDefault: true }), ApiModule],
    }).compile();
    const app = testing.createNestApplication({ logger: false });
    onTestFinished(() => app.close());
    const config = new DocumentBuilder().setTitle('Orders').build();
    const document = documentAuthorization(SwaggerModule.createDocument(app, config), app);
    SwaggerModule.setup('api', app, document);
    await app.listen(0, '127.0.0.1');
    const browser = await launchBrowser(executable ?? '');
    onTestFinished(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
    await page.goto(`${await app.getUrl()}/api`);
    const list = page.locator('#operations-Orders-OrdersController_list');
    await list.locator('.opblock-summary-control').click();
    await list.getByRole('button', { name: 'Try it out' }).click();
    const execute = async (): Promise<string> => {
      await list.getByRole('button', { name: 'Execute' }).click();
      const status = list.locator('.live-responses-table .response-col_status').last();
      await status.waitFor();
      return status.innerText();
    };
    expect(await execute()).toContain('401');
    await list.getByRole('button', { name: 'Clear' }).click();
    await page.locator('button.btn.authorize').first().click();
    const token = page.locator('.auth-container', { hasText: 'accessToken' });
    await token.locator('input').fill(await issuer.sign({ sub: 'alice', scope: 'orders:read' }));
    await token.getByRole('button', { name: 'Apply credentials' }).click();
    await page.locator('.dialog-ux .close-modal').click();
    expect(await execute()).toContain('200');
  });
});
