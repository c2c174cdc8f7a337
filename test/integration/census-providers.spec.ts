import { Module, type ModuleMetadata, type Provider, type Type } from '@nestjs/common';
import { GraphQLModule, Int, Query, Resolver } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  AuthCensus,
  Authorized,
  AuthModule,
  type AuthModuleExtras,
  type AuthorizationPolicy,
} from 'nestjs-resilient-auth';
import { graphqlContext } from 'nestjs-resilient-auth/graphql';
import { webSocketContext } from 'nestjs-resilient-auth/websockets';
import { describe, expect, it, onTestFinished } from 'vitest';

async function boot(
  { imports = [], ...metadata }: ModuleMetadata,
  extras: AuthModuleExtras = {},
): Promise<NestFastifyApplication> {
  const auth = AuthModule.forRoot({
    issuer: 'https://issuer.test',
    audience: 'api',
    metadata: { startup: 'lazy' },
    contexts: [webSocketContext(), graphqlContext()],
    ...extras,
  });
  const module = await Test.createTestingModule({ ...metadata, imports: [auth, ...imports] }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  onTestFinished(() => app.close());
  return app.init();
}

/** Two ways to hand out a class under another name. */
const alsoAs = (target: Type): readonly (readonly [string, Provider])[] => [
  ['useExisting', { provide: 'other', useExisting: target }],
  ['useFactory', { provide: 'other', useFactory: (instance: unknown) => instance, inject: [target] }],
];

describe('a gateway that the root module provides under another name as well', () => {
  class BaseGateway {
    @Authorized()
    @SubscribeMessage('list')
    list(): string {
      return 'base';
    }
  }
  @WebSocketGateway()
  class OpenGateway extends BaseGateway {
    @SubscribeMessage('list')
    override list(): string {
      return 'derived';
    }
  }
  @WebSocketGateway()
  class HookGateway {
    @Authorized()
    handleConnection(): void {}
  }
  @Module({ providers: [OpenGateway], exports: [OpenGateway] })
  class OpenModule {}
  @Module({ providers: [HookGateway], exports: [HookGateway] })
  class HookModule {}

  it.each(alsoAs(OpenGateway))('rejects the boot when a message of it is open: %s', async (_, alias) => {
    await expect(boot({ imports: [OpenModule], providers: [alias] })).rejects.toThrow(
      /OpenGateway\.list .*no guard/,
    );
  });

  it.each(alsoAs(HookGateway))('rejects the boot when its hook is @Authorized: %s', async (_, alias) => {
    await expect(boot({ imports: [HookModule], providers: [alias] })).rejects.toThrow(
      /HookGateway\.handleConnection .*never guards/,
    );
  });
});

describe('a class with a policy that another module provides under another name', () => {
  class Everyone implements AuthorizationPolicy {
    authorize(): boolean {
      return true;
    }
  }
  @WebSocketGateway()
  class RoomGateway {
    @Authorized({ policy: Everyone })
    @SubscribeMessage('list')
    list(): string {
      return 'rooms';
    }
  }
  @Module({ providers: [RoomGateway, Everyone], exports: [RoomGateway] })
  class RoomModule {}

  it.each(alsoAs(RoomGateway))('boots, since its own module provides the policy: %s', async (_, alias) => {
    @Module({ imports: [RoomModule], providers: [alias] })
    class OtherModule {}
    const app = await boot({ imports: [OtherModule, RoomModule] });
    const handlers = app.get(AuthCensus).handlers.map((handler) => [handler.method, handler.protected]);
    expect(handlers).toEqual([['list', true]]);
  });
});

describe('a resolver whose guards Nest looks up by its class', () => {
  @Resolver()
  class SecretResolver {
    @Authorized()
    @Query(() => Int)
    secret(): number {
      return 42;
    }
  }
  const graph = GraphQLModule.forRoot<MercuriusDriverConfig>({
    driver: MercuriusDriver,
    autoSchemaFile: true,
  });
  const proxied: Type = new Proxy(SecretResolver, {});
  const others: readonly (readonly [string, Provider])[] = [
    ['useFactory', { provide: SecretResolver, useFactory: () => new SecretResolver() }],
    ['useValue', { provide: SecretResolver, useValue: new SecretResolver() }],
    ['a class under another name', { provide: 'secret', useClass: SecretResolver }],
    ['a class that a proxy has replaced', proxied],
  ];
  async function answer(provider: Provider, extras?: AuthModuleExtras): Promise<unknown> {
    const app = await boot({ imports: [graph], providers: [provider] }, extras);
    await app.getHttpAdapter().getInstance().ready();
    const { body } = await app.inject({
      method: 'POST',
      url: '/graphql',
      payload: { query: '{ secret }' },
    });
    return JSON.parse(body);
  }
  const refused = { errors: [{ extensions: { errorCode: 'AUTH_TOKEN_MISSING' } }] };

  it.each(others)('[X3] rejects the boot when it is provided by %s', async (_, provider) => {
    await expect(answer(provider)).rejects.toThrow(/SecretResolver\.secret .*provides it as a class/);
  });

  it.each(others)('[X3] answers AUTH_TOKEN_MISSING when everything is secure: %s', async (_, provider) => {
    expect(await answer(provider, { secureByDefault: true })).toMatchObject(refused);
  });

  it('[X3] answers AUTH_TOKEN_MISSING when it is provided as a class', async () => {
    expect(await answer(SecretResolver)).toMatchObject(refused);
  });
});
