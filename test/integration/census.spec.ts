import {
  Controller,
  Get,
  Injectable,
  Module,
  type CanActivate,
  type INestApplication,
  type ModuleMetadata,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { GraphQLModule, Query, ResolveField, ResolveReference, Resolver } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { MessagePattern, Transport } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test, type TestingModule } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  AllowAnonymous,
  AuthCensus,
  AuthConfigurationError,
  Authorized,
  AuthModule,
  type AuthModuleExtras,
  type ResilientAuthOptions,
} from 'nestjs-resilient-auth';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inspect } from 'node:util';

const secure: AuthModuleExtras = { secureByDefault: true };

/** What the last application has logged. */
const lines: string[] = [];
const record = (...parts: unknown[]): void => void lines.push(inspect(parts));
const logger = { log: record, warn: record, error: record };

/** An issuer that is never called. */
const options: ResilientAuthOptions = {
  issuer: 'https://issuer.test',
  audience: 'api',
  metadata: { startup: 'lazy' },
};

async function boot(
  { imports = [], ...metadata }: ModuleMetadata,
  extras: AuthModuleExtras = {},
  connect?: (app: INestApplication) => void,
): Promise<INestApplication> {
  const auth = AuthModule.forRoot({ ...options, ...extras });
  return start(
    await Test.createTestingModule({ ...metadata, imports: [auth, ...imports] }).compile(),
    connect,
  );
}

async function start(
  module: TestingModule,
  connect?: (app: INestApplication) => void,
): Promise<INestApplication> {
  lines.length = 0;
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger });
  onTestFinished(() => app.close());
  connect?.(app);
  return app.init();
}

const refusal = async (booted: Promise<unknown>): Promise<string> => {
  const error: unknown = await booted.then(
    () => new Error('booted'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AuthConfigurationError);
  return String(error);
};

@Authorized({ roles: ['admin'] })
@Controller('mixed')
class MixedController {
  @Get()
  closed(): string {
    return 'ok';
  }

  @AllowAnonymous()
  @Get('open')
  open(): string {
    return 'ok';
  }
}

@Controller('plain')
class PlainController {
  @Get()
  plain(): string {
    return 'ok';
  }

  @MessagePattern('plain')
  message(): string {
    return 'ok';
  }
}

@AllowAnonymous()
@WebSocketGateway()
class OpenGateway {
  @SubscribeMessage('open')
  open(): string {
    return 'ok';
  }
}

describe('AuthCensus', () => {
  const found = (app: INestApplication) =>
    app.get(AuthCensus).handlers.map((handler) => ({
      name: `${handler.kind} ${handler.class.name}.${handler.method}`,
      is: handler.anonymous ? 'anonymous' : handler.protected ? 'protected' : 'undecorated',
    }));

  it('returns each handler once, with its kind, its requirements and what protects it', async () => {
    @Module({ providers: [OpenGateway] })
    class SecondModule {}
    const app = await boot({
      imports: [SecondModule],
      controllers: [MixedController, PlainController],
      providers: [OpenGateway],
    });
    expect(found(app)).toEqual([
      { name: 'http MixedController.closed', is: 'protected' },
      { name: 'http MixedController.open', is: 'anonymous' },
      { name: 'http PlainController.plain', is: 'undecorated' },
      { name: 'rpc PlainController.message', is: 'undecorated' },
      { name: 'ws OpenGateway.open', is: 'anonymous' },
    ]);
    const [closed] = app.get(AuthCensus).handlers;
    expect(closed).toMatchObject({
      class: MixedController,
      requirements: { checks: [{ name: 'roles', required: ['admin'] }] },
    });
    expect(Object.isFrozen(closed)).toBe(true);
  });

  it('logs one line at boot', async () => {
    await boot({ controllers: [MixedController, PlainController], providers: [OpenGateway] });
    const line = "'protected: 1 HTTP; anonymous: 2; undecorated: 2'";
    expect(lines.filter((text) => text.includes('anonymous:'))).toEqual([expect.stringContaining(line)]);
  });

  it('logs undecorated handlers as protected when secureByDefault', async () => {
    await boot({ controllers: [MixedController, PlainController], providers: [OpenGateway] }, secure);
    expect(lines.join('\n')).toContain("'protected: 2 HTTP, 1 message handler; anonymous: 2'");
  });

  it('[X1] counts an undecorated gateway as protected when secureByDefault on NestJS 12', async () => {
    @WebSocketGateway()
    class PlainGateway {
      @SubscribeMessage('plain')
      plain(): string {
        return 'ok';
      }
    }
    await boot({ providers: [PlainGateway] }, secure);
    expect(lines.join('\n')).toContain("'protected: 1 gateway; anonymous: 0'");
  });

  it('logs that nothing is protected when nothing is', async () => {
    await boot({});
    expect(lines.join('\n')).toContain("'protected: none; anonymous: 0'");
  });

  it('boots the next time when the first boot was rejected', async () => {
    @Authorized()
    @WebSocketGateway()
    class ClosedGateway {
      @SubscribeMessage('closed')
      closed(): string {
        return 'ok';
      }
    }
    await refusal(boot({ providers: [ClosedGateway] }));
    expect(found(await boot({ controllers: [MixedController] }))).toHaveLength(2);
  });
});

describe('a microservice of a hybrid application', () => {
  const connect = (inheritAppConfig: boolean) => (app: INestApplication) => {
    app.connectMicroservice({ transport: Transport.TCP, options: { port: 0 } }, { inheritAppConfig });
  };
  const undecorated = { controllers: [PlainController] };

  it('[X2] rejects the boot when it has global guards of its own and a handler is undecorated', async () => {
    const message = await refusal(boot(undecorated, secure, connect(false)));
    expect(message).toMatch(/PlainController\.message.*inheritAppConfig: true/);
  });

  it('[X2] boots when it inherits the guards', async () => {
    const app = await boot(undecorated, secure, connect(true));
    expect(app.get(AuthCensus).handlers.every((handler) => handler.protected)).toBe(true);
  });

  it('[X2] boots when its handlers are open on purpose, or nothing is secure by default', async () => {
    @Controller()
    class OpenController {
      @AllowAnonymous()
      @MessagePattern('open')
      message(): string {
        return 'ok';
      }
    }
    await boot({ controllers: [OpenController] }, secure, connect(false));
    await boot(undecorated, {}, connect(false));
  });
});

describe('a handler that Nest would not guard', () => {
  it.each(['handleConnection', 'handleDisconnect', 'afterInit'])(
    '[X4] rejects the boot when %s is @Authorized',
    async (hook) => {
      @WebSocketGateway()
      class HookedGateway {
        handleConnection(): void {}
        handleDisconnect(): void {}
        afterInit(): void {}
      }
      const prototype: object = HookedGateway.prototype;
      const descriptor = Object.getOwnPropertyDescriptor(prototype, hook);
      Authorized()(prototype, hook, descriptor ?? {});
      const message = await refusal(boot({ providers: [HookedGateway] }));
      expect(message).toMatch(new RegExp(`HookedGateway\\.${hook}.*HandshakeAuthentication`));
    },
  );

  it('[X5] rejects the boot when its context is not switched on, and names the import', async () => {
    @Authorized()
    @WebSocketGateway()
    class ClosedGateway {
      @SubscribeMessage('closed')
      closed(): string {
        return 'ok';
      }
    }
    @Resolver()
    class ClosedResolver {
      @Authorized()
      @Query(() => String)
      closed(): string {
        return 'ok';
      }
    }
    @Controller()
    class ClosedHandler {
      @Authorized()
      @MessagePattern('closed')
      closed(): string {
        return 'ok';
      }
    }
    const providers = [ClosedGateway, ClosedResolver];
    const message = await refusal(boot({ providers, controllers: [ClosedHandler] }));
    for (const [name, path] of [
      ['ClosedGateway', 'websockets'],
      ['ClosedResolver', 'graphql'],
      ['ClosedHandler', 'microservices'],
    ])
      expect(message).toMatch(new RegExp(`${name}\\.closed .*nestjs-resilient-auth/${path}'`));
  });

  it('[X3] rejects the boot when a reference of an entity is only secure by default', async () => {
    @Resolver('Order')
    class OrderResolver {
      @ResolveReference()
      resolve(): object {
        return {};
      }

      @ResolveField()
      price(): number {
        return 1;
      }
    }
    const message = await refusal(
      boot(
        {
          providers: [
            OrderResolver,
            { provide: 'GqlModuleOptions', useValue: { fieldResolverEnhancers: [] } },
          ],
        },
        secure,
      ),
    );
    expect(message).toMatch(/OrderResolver\.resolve .*fieldResolverEnhancers: \['guards'\]/);
    expect(message).not.toContain('OrderResolver.price');
  });
});

describe('a resolver that its module does not provide as a class', () => {
  class FieldResolver {
    @Authorized()
    @ResolveField()
    price(): number {
      return 1;
    }
  }
  const graph = { provide: 'GqlModuleOptions', useValue: { fieldResolverEnhancers: [] } };

  it.each([
    ['useFactory', { provide: 'resolver', useFactory: () => new FieldResolver() }],
    ['useValue', { provide: 'resolver', useValue: new FieldResolver() }],
  ])('[X3] rejects the boot when a field of it is @Authorized: %s', async (_, resolver) => {
    const module = { providers: [resolver, graph] };
    expect(await refusal(boot(module, { secureByDefault: false }))).toMatch(
      /FieldResolver\.price .*graphqlContext/,
    );
  });
});

describe('the context of GraphQL', () => {
  @Resolver()
  class PlainResolver {
    @Query(() => String)
    plain(): string {
      return 'ok';
    }
  }
  const mercurius = (options: object) =>
    GraphQLModule.forRoot<MercuriusDriverConfig>({
      driver: MercuriusDriver,
      autoSchemaFile: true,
      ...options,
    });

  it('[X6] rejects the boot when it is an object that the driver shares between requests', async () => {
    const shared = mercurius({ context: { req: undefined } });
    const message = await refusal(boot({ imports: [shared], providers: [PlainResolver] }, secure));
    expect(message).toMatch(/PlainResolver\.plain.*context: \(request\) =>/);
  });

  it('[X6] boots when it is a function, and when the driver clones it', async () => {
    await boot({ imports: [mercurius({ context: () => ({}) })], providers: [PlainResolver] }, secure);
    const apollo = GraphQLModule.forRoot<ApolloDriverConfig>({
      driver: ApolloDriver,
      autoSchemaFile: true,
      context: { shared: true },
    });
    await boot({ imports: [apollo], providers: [PlainResolver] }, secure);
  });
});

describe('a global guard of the application’s own', () => {
  @Injectable()
  class EarlyGuard implements CanActivate {
    canActivate(): boolean {
      return true;
    }
  }
  const guard = { provide: APP_GUARD, useClass: EarlyGuard };

  it('[X9] logs a warning when it runs before AuthorizedGuard', async () => {
    @Module({ providers: [guard] })
    class EarlyModule {}
    const module = await Test.createTestingModule({
      imports: [EarlyModule, AuthModule.forRoot({ ...options, ...secure })],
    }).compile();
    await start(module);
    expect(lines.filter((text) => text.includes('EarlyGuard'))).toHaveLength(1);
  });

  it('[X9] logs no warning when it runs after AuthorizedGuard', async () => {
    @Module({ providers: [guard] })
    class LateModule {}
    await boot({ imports: [LateModule] }, secure);
    expect(lines.filter((text) => text.includes('EarlyGuard'))).toEqual([]);
  });
});
