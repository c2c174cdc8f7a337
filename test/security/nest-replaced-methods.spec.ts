import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Controller, Get, Scope, UseGuards, type ExecutionContext, type Type } from '@nestjs/common';
import { RouterExecutionContext } from '@nestjs/core/router/router-execution-context.js';
import { AllowAnonymous, Authorized, type AuthModuleExtras } from 'nestjs-resilient-auth';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { issuerAndApi } from '../support/apps/start-api.js';
import { until } from '../support/clock/until.js';
import { platforms } from '../support/apps/platforms.js';

type Method = (...values: unknown[]) => unknown;

async function statusesOf(
  controllers: Type[],
  extras: AuthModuleExtras = {},
): Promise<(path: string, claims?: object) => Promise<number>> {
  const { get } = await issuerAndApi(platforms[0].create, extras, { controllers });
  return async (path, claims) => (await get(path, claims)).status;
}

/** What tracing does: another function runs the handler, with a copy of its name and metadata. */
function traced(inner: Method, copiesMetadata = true): Method {
  const wrapper: Method = function (this: unknown, ...values) {
    return Reflect.apply(inner, this, values);
  };
  if (copiesMetadata) Object.defineProperty(wrapper, 'name', { value: inner.name });
  for (const key of copiesMetadata ? Reflect.getMetadataKeys(inner) : [])
    Reflect.defineMetadata(key, Reflect.getMetadata(key, inner), wrapper);
  return wrapper;
}

function isMethod(value: unknown): value is Method {
  return typeof value === 'function';
}

/** Instruments Nest as OpenTelemetry and Sentry do: each handler is wrapped as its route is registered. */
function instrumentNest(): void {
  const prototype: object = RouterExecutionContext.prototype;
  const create: Method = Reflect.get(prototype, 'create');
  const replace = (value: Method) => Object.assign(prototype, { create: value });
  replace(function (this: unknown, instance, callback, ...rest) {
    return Reflect.apply(create, this, [instance, isMethod(callback) ? traced(callback) : callback, ...rest]);
  });
  onTestFinished(() => void replace(create));
}

class BaseController {
  @Authorized({ roles: ['admin'] })
  @Get('admin')
  admin(): string {
    return 'ok';
  }

  @AllowAnonymous()
  @Get('open')
  open(): string {
    return 'ok';
  }
}

@Authorized()
@Controller('plain')
class PlainController extends BaseController {
  @Get('admin')
  override admin(): string {
    return super.admin();
  }

  @Get('open')
  override open(): string {
    return 'overridden';
  }

  @AllowAnonymous()
  @Get('still-open')
  stillOpen(): string {
    return 'ok';
  }
}

@Authorized()
@Controller('bound')
class BoundController extends PlainController {
  constructor() {
    super();
    this.admin = this.admin.bind(this);
    this.open = this.open.bind(this);
    this.stillOpen = this.stillOpen.bind(this);
  }
}

@Authorized()
@Controller({ path: 'per-request', scope: Scope.REQUEST })
class PerRequestController extends BoundController {}

/** docs/security-checklist.md L, L3. */
describe.each([
  ['as it was written', '/plain', false],
  ['wrapped by tracing', '/plain', true],
  ['bound in the constructor', '/bound', false],
  ['bound in the constructor and wrapped by tracing', '/bound', true],
  ['bound for each request', '/per-request', false],
  ['bound for each request and wrapped by tracing', '/per-request', true],
])('a method %s', (_, path, isTraced) => {
  beforeEach(() => {
    if (isTraced) instrumentNest();
  });

  it.each([false, true])(
    '[L3] requires the role of the method that it overrides: secureByDefault %j',
    async (flag) => {
      const controllers = [PlainController, BoundController, PerRequestController];
      const statusOf = await statusesOf(controllers, { secureByDefault: flag });
      expect(await statusOf(`${path}/admin`)).toBe(401);
      expect(await statusOf(`${path}/admin`, { roles: ['user'] })).toBe(403);
      expect(await statusOf(`${path}/admin`, { roles: ['admin'] })).toBe(200);
    },
  );

  it('[L3] answers 401 when it overrides an open method in a closed class without a decorator', async () => {
    const controllers = [PlainController, BoundController, PerRequestController];
    const statusOf = await statusesOf(controllers);
    expect(await statusOf(`${path}/open`)).toBe(401);
    expect(await statusOf(`${path}/open`, {})).toBe(200);
    expect(await statusOf(`${path}/still-open`)).toBe(200);
  });
});

describe('a method replaced by a function without its metadata', () => {
  const lossy: MethodDecorator = (_target, _name, descriptor: PropertyDescriptor) => {
    const replaced = traced(descriptor.value, false);
    for (const key of ['path', 'method'])
      Reflect.defineMetadata(key, Reflect.getMetadata(key, descriptor.value), replaced);
    descriptor.value = replaced;
  };

  @Controller('lossy')
  class LossyController {
    @lossy
    @Authorized({ roles: ['admin'] })
    @Get()
    get(): string {
      return 'ok';
    }
  }

  it('[L3] keeps its requirements under a global guard when it stands on the prototype', async () => {
    const statusOf = await statusesOf([LossyController], { secureByDefault: true });
    expect(await statusOf('/lossy', { roles: ['user'] })).toBe(403);
    expect(await statusOf('/lossy', { roles: ['admin'] })).toBe(200);
  });

  class Swapped {
    constructor() {
      Object.assign(this, { admin: traced(() => 'ok', false), plain: traced(() => 'ok', false) });
    }

    @Authorized({ roles: ['admin'] })
    @Get('admin')
    admin(): string {
      return 'ok';
    }

    @Get('plain')
    plain(): string {
      return 'ok';
    }
  }

  it('[L3] rejects the boot when it stands on the instance and another method has requirements of its own', async () => {
    @Authorized()
    @Controller('swapped')
    class SwappedController extends Swapped {}
    await expect(statusesOf([SwappedController])).rejects.toThrow(
      /SwappedController.*admin.*cannot be known/s,
    );
  });

  it('[L3] answers 500 when it stands on an instance that only a request creates', async () => {
    @Authorized()
    @Controller({ path: 'swapped', scope: Scope.REQUEST })
    class SwappedController extends Swapped {}
    const statusOf = await statusesOf([SwappedController]);
    expect(await statusOf('/swapped/admin', { roles: ['admin'] })).toBe(500);
    expect(await statusOf('/swapped/plain', { roles: ['admin'] })).toBe(500);
  });

  it('[L3] rejects the boot when it stands on the instance and Nest would run no guard', async () => {
    @Controller('unguarded')
    class UnguardedController {
      constructor() {
        this.get = this.get.bind(this);
      }

      @Authorized()
      @Get()
      get(): string {
        return 'ok';
      }
    }
    await expect(statusesOf([UnguardedController])).rejects.toThrow(/UnguardedController\.get.*no guard/);
  });

  it('[L3] rejects the boot when an override without a decorator runs without a guard', async () => {
    @Controller('override')
    class OverridingController extends BaseController {
      @Get('admin')
      override admin(): string {
        return 'overridden';
      }
    }
    await expect(statusesOf([OverridingController])).rejects.toThrow(/OverridingController\.admin.*no guard/);
  });
});

describe('the functions of a request-scoped controller', () => {
  it('[L3] releases them after their requests have been answered', async () => {
    const handlers: WeakRef<object>[] = [];
    @Authorized()
    @UseGuards({
      canActivate: (context: ExecutionContext) => handlers.push(new WeakRef(context.getHandler())) > 0,
    })
    @Controller({ path: 'forgotten', scope: Scope.REQUEST })
    class ForgottenController {
      constructor() {
        this.get = this.get.bind(this);
      }

      @AllowAnonymous()
      @Get()
      get(): string {
        return 'ok';
      }
    }
    const statusOf = await statusesOf([ForgottenController]);
    for (let request = 0; request < 50; request += 1) expect(await statusOf('/forgotten')).toBe(200);
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    await until(() => {
      collectGarbage();
      // The last ones may still be on the stack of a connection.
      return handlers.filter((handler) => handler.deref()).length < 10;
    });
    expect(handlers).toHaveLength(50);
  });
});
