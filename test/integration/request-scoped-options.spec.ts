import { Controller, Get, Inject, Injectable, Module, Scope, type DynamicModule } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  AuthConfigurationError,
  AuthModule,
  type AuthModuleExtras,
  type ResilientAuthOptions,
  type ResilientAuthOptionsFactory,
} from 'nestjs-resilient-auth';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { platforms } from '../support/apps/platforms.js';

const [{ create }] = platforms;
const options = (): ResilientAuthOptions => ({
  issuer: 'https://issuer.test',
  audience: 'api',
  metadata: { startup: 'lazy' },
});

@Injectable({ scope: Scope.REQUEST })
class PerRequest {}

@Injectable({ scope: Scope.REQUEST, durable: true })
class PerTenant {}

@Injectable({ scope: Scope.TRANSIENT })
class PerConsumer {}

/** Of default scope by its own decorator: what it depends on decides. */
@Injectable()
class Indirect {
  constructor(readonly dependency: PerRequest) {}
}

@Injectable()
class ByProperty {
  @Inject(PerTenant) readonly dependency!: PerTenant;
}

@Injectable({ scope: Scope.REQUEST })
class RequestScopedOptions implements ResilientAuthOptionsFactory {
  createResilientAuthOptions(): ResilientAuthOptions {
    return options();
  }
}

@Injectable()
class OptionsOfARequest implements ResilientAuthOptionsFactory {
  constructor(@Inject(REQUEST) readonly request: object) {}

  createResilientAuthOptions(): ResilientAuthOptions {
    return options();
  }
}

const provided = [PerRequest, PerTenant, PerConsumer, Indirect, ByProperty, RequestScopedOptions];
const aliased = { provide: 'alias', useExisting: Indirect };

@Module({ providers: [...provided, aliased], exports: [...provided, aliased] })
class SharedModule {}

@Module({ imports: [SharedModule], exports: [SharedModule] })
class ReExportingModule {}

@Controller('plain')
class PlainController {
  @Get()
  get(): string {
    return 'open';
  }
}

type AsyncOptions = Parameters<typeof AuthModule.forRootAsync>[0];

const viaFactory = (...inject: NonNullable<AsyncOptions['inject']>): AsyncOptions => ({
  imports: [ReExportingModule],
  inject,
  useFactory: options,
});

const refused: readonly (readonly [string, AsyncOptions, RegExp])[] = [
  ['a provider of scope REQUEST', viaFactory(PerRequest), /PerRequest.*\(Scope\.REQUEST\)/],
  ['a durable provider', viaFactory(PerTenant), /PerTenant.*\(Scope\.REQUEST, durable\)/],
  ['REQUEST itself', viaFactory(REQUEST), /REQUEST.*\(Scope\.REQUEST\)/],
  ['an optional dependency', viaFactory({ token: PerRequest, optional: true }), /PerRequest/],
  ['a dependency of a dependency', viaFactory(Indirect), /PerRequest/],
  ['an injected property', viaFactory(ByProperty), /PerTenant.*durable/],
  ['an alias', viaFactory('alias'), /PerRequest/],
  ['a class by useClass', { useClass: RequestScopedOptions }, /RequestScopedOptions/],
  ['a class by useClass that injects REQUEST', { useClass: OptionsOfARequest }, /REQUEST/],
  [
    'a class by useExisting',
    { imports: [SharedModule], useExisting: RequestScopedOptions },
    /RequestScopedOptions/,
  ],
];

describe('forRootAsync', () => {
  const compile = (module: DynamicModule) =>
    Test.createTestingModule({ imports: [module], controllers: [PlainController] }).compile();

  describe.each<AuthModuleExtras>([{ secureByDefault: false }, { secureByDefault: true }])('%j', (extras) => {
    it.each(refused)('[X8] rejects %s at boot and names its scope', async (_, given, message) => {
      const refusal: unknown = await compile(AuthModule.forRootAsync({ ...given, ...extras })).catch(
        (error: unknown) => error,
      );
      expect(refusal).toBeInstanceOf(AuthConfigurationError);
      expect(refusal).toHaveProperty('message', expect.stringMatching(message));
    });

    it('[X8] accepts a transient dependency, which is created once', async () => {
      const module = AuthModule.forRootAsync({ ...viaFactory(PerConsumer), ...extras });
      const app = await create(
        Test.createTestingModule({ imports: [module], controllers: [PlainController] }),
      );
      onTestFinished(() => app.close());
      await request(app.getHttpServer())
        .get('/plain')
        .expect(extras.secureByDefault === true ? 401 : 200);
    });
  });

  it('[X8] accepts a request-scoped class that a test replaces by a value', async () => {
    const module = AuthModule.forRootAsync(viaFactory(PerRequest));
    const builder = Test.createTestingModule({ imports: [module] })
      .overrideProvider(PerRequest)
      .useValue({});
    const app = await create(builder);
    await app.close();
  });
});

describe('AuthModule', () => {
  it('rejects a subclass as second forRoot at boot', async () => {
    class SecondModule extends AuthModule {}
    const imports = [AuthModule.forRoot(options()), SecondModule.forRoot(options())];
    await expect(Test.createTestingModule({ imports }).compile()).rejects.toThrow(/stands twice/);
    await expect(Test.createTestingModule({ imports }).compile()).rejects.toBeInstanceOf(
      AuthConfigurationError,
    );
  });

  it('boots as a subclass alone', async () => {
    class OwnModule extends AuthModule {}
    const app = await create(Test.createTestingModule({ imports: [OwnModule.forRoot(options())] }));
    await app.close();
  });
});
