import { Readable } from 'node:stream';
import { Controller, Get, Module, type DynamicModule } from '@nestjs/common';
import { ExternalContextCreator, LazyModuleLoader } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  AllowAnonymous,
  AuthConfigurationError,
  Authorized,
  AuthorizedGuard,
  AuthModule,
  type ResilientAuthOptions,
} from 'nestjs-resilient-auth';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startIssuer } from '../support/apps/start-api.js';

const options: ResilientAuthOptions = {
  issuer: 'https://issuer.test',
  audience: 'api',
  metadata: { startup: 'lazy' },
};

const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };

@Authorized()
@Controller('orders')
class OrdersController {
  @Get()
  list(): string {
    return 'listed';
  }

  @AllowAnonymous()
  @Get('open')
  open(): string {
    return 'open';
  }
}

/** Calls a handler as Nest does, with a request that no server has seen. */
async function call(
  module: TestingModule,
  guard: AuthorizedGuard,
  method: 'list' | 'open',
  token = '',
): Promise<unknown> {
  const controller = new OrdersController();
  const request = Object.assign(new Readable(), { headers: { authorization: `Bearer ${token}` } });
  const creator = module.get(ExternalContextCreator, { strict: false });
  let verdict: unknown;
  const recording = { canActivate: async (context: never) => (verdict = await guard.canActivate(context)) };
  Reflect.defineMetadata('__guards__', [recording], controller[method]);
  onTestFinished(() => void Reflect.deleteMetadata('__guards__', controller[method]));
  await creator.create(controller, controller[method], method)(request, {}, {});
  return verdict;
}

describe('AuthorizedGuard', () => {
  const compile = async (...imports: DynamicModule[]): Promise<TestingModule> => {
    const module = await Test.createTestingModule({ imports }).setLogger(silent).compile();
    onTestFinished(() => module.close());
    return module;
  };

  it('throws an AuthConfigurationError that says what to do before the application is initialized', async () => {
    const issuer = await startIssuer();
    const module = await compile(AuthModule.forRoot(issuer.options()));
    const guard = module.get(AuthorizedGuard, { strict: false });
    const token = await issuer.sign();
    for (const given of ['', token]) {
      const called = call(module, guard, 'list', given);
      await expect(called).rejects.toThrow(/await app\.init\(\)/);
      await expect(called).rejects.toBeInstanceOf(AuthConfigurationError);
    }
    expect(await call(module, guard, 'open')).toBe(true);
    await module.init();
    expect(await call(module, guard, 'list', token)).toBe(true);
  });

  it('throws an AuthConfigurationError when AuthModule was loaded lazily', async () => {
    const module = await compile();
    await module.init();
    @Module({ imports: [AuthModule.forRoot(options)] })
    class LazyModule {}
    const lazy = await module.get(LazyModuleLoader).load(() => LazyModule);
    const guard = lazy.get(AuthorizedGuard, { strict: false });
    await expect(call(module, guard, 'list')).rejects.toThrow(/LazyModuleLoader/);
  });
});
