import { Controller, Get, Scope, type Type } from '@nestjs/common';
import { Authorized, type AuthModuleExtras, type AuthorizationPolicy } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { requirementsFor } from '../../lib/authorized/requirements/requirements.js';
import { issuerAndApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';

async function statusesOf(
  controllers: Type[],
  extras: AuthModuleExtras = {},
  providers: Type[] = [],
): Promise<(path: string, claims?: object) => Promise<number>> {
  const { get } = await issuerAndApi(platforms[0].create, extras, { controllers, providers });
  return async (path, claims) => (await get(path, claims)).status;
}

/** A class decorator that returns another function, as those of older tracing libraries do. */
function replaced<T extends Type>(original: T): T;
function replaced(original: Type): unknown {
  function wrapper(...parameters: unknown[]): unknown {
    return Reflect.construct(original, parameters);
  }
  return Object.assign(wrapper, { prototype: original.prototype });
}

function proxied<T extends Type>(original: T): T {
  return new Proxy(original, {});
}

/** Returns the instance behind a proxy that wraps every function it hands out, `constructor` as well. */
function traced<T extends object>(instance: T): T {
  return new Proxy(instance, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function'
        ? (...values: unknown[]): unknown => Reflect.apply(value, target, values)
        : value;
    },
  });
}

function tracedController(scope: Scope): Type {
  @Controller({ path: 'traced', scope })
  @Authorized({ roles: ['admin'] })
  class TracedController {
    constructor() {
      return traced(this);
    }

    @Get()
    get(): string {
      return 'ok';
    }
  }
  return TracedController;
}

/** As in the handbook of TypeScript: `constructor` is copied as well. */
function mixIn(derived: Type, base: Type): void {
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(base.prototype)))
    Object.defineProperty(derived.prototype, name, descriptor);
}

class Audited {
  audit(): string {
    return 'audited';
  }
}

/** docs/security-checklist.md L, L3. */
describe.each([false, true])('a class that was replaced: secureByDefault %j', (secureByDefault) => {
  it.each([
    ['a function', replaced],
    ['a proxy', proxied],
  ])('[L3] rejects the boot when it is decorated above a decorator that returns %s', async (_, replace) => {
    @Controller('above')
    @Authorized({ roles: ['admin'] })
    @replace
    class AboveController {
      @Get()
      get(): string {
        return 'ok';
      }
    }
    await expect(statusesOf([AboveController], { secureByDefault })).rejects.toThrow(/\.get: .*replaced/);
  });

  it('[L3] rejects the boot when a mixin has copied its own constructor over it', async () => {
    @Controller('mixed')
    @Authorized({ roles: ['admin'] })
    class MixedController {
      @Get()
      get(): string {
        return 'ok';
      }
    }
    mixIn(MixedController, Audited);
    await expect(statusesOf([MixedController], { secureByDefault })).rejects.toThrow(
      /MixedController\.get: .*the class Audited.*replaced/,
    );
  });

  it('[L3] rejects the boot when a proxy of its instance wraps the constructor', async () => {
    await expect(statusesOf([tracedController(Scope.DEFAULT)], { secureByDefault })).rejects.toThrow(
      /TracedController\.get: .*no class/,
    );
  });

  it('[L3] answers 500 when such a proxy is made for each request', async () => {
    const statusOf = await statusesOf([tracedController(Scope.REQUEST)], { secureByDefault });
    expect(await statusOf('/traced', { roles: ['user'] })).toBe(500);
    expect(await statusOf('/traced', { roles: ['admin'] })).toBe(500);
  });

  it('[L3] requires what its methods are decorated with', async () => {
    class IsAdmin implements AuthorizationPolicy {
      authorize(user: unknown): boolean {
        return JSON.stringify(user).includes('admin');
      }
    }
    @Controller('methods')
    @proxied
    class MethodsController {
      @Authorized({ policy: IsAdmin })
      @Get()
      get(): string {
        return 'ok';
      }
    }
    const statusOf = await statusesOf([MethodsController], { secureByDefault }, [IsAdmin]);
    expect(await statusOf('/methods')).toBe(401);
    expect(await statusOf('/methods', { roles: ['user'] })).toBe(403);
    expect(await statusOf('/methods', { roles: ['admin'] })).toBe(200);
  });
});

describe.each([
  ['a function', replaced],
  ['a proxy', proxied],
])('a class that is decorated below a decorator that returns %s', (_, replace) => {
  @replace
  @Authorized({ roles: ['admin'] })
  class BaseController {
    @Get()
    get(): string {
      return 'ok';
    }
  }

  @Controller('derived')
  class DerivedController extends BaseController {
    @Get()
    override get(): string {
      return 'derived';
    }
  }

  it('[L3] keeps its requirements for a derived class under a global guard', async () => {
    const statusOf = await statusesOf([DerivedController], { secureByDefault: true });
    expect(await statusOf('/derived')).toBe(401);
    expect(await statusOf('/derived', { roles: ['user'] })).toBe(403);
    expect(await statusOf('/derived', { roles: ['admin'] })).toBe(200);
  });

  it('[L3] rejects the boot without a global guard', async () => {
    await expect(statusesOf([DerivedController])).rejects.toThrow(/DerivedController\.get .*no guard/);
  });
});

describe('an undecorated class whose instance is a proxy that wraps the constructor', () => {
  @Controller('traced')
  class TracedController {
    constructor() {
      return traced(this);
    }

    @Get()
    get(): string {
      return 'ok';
    }
  }

  it('[L3] boots when nothing is secure by default', async () => {
    expect(await (await statusesOf([TracedController]))('/traced')).toBe(200);
  });

  it('[L3] rejects the boot when everything is', async () => {
    await expect(statusesOf([TracedController], { secureByDefault: true })).rejects.toThrow(
      /TracedController\.get: .*no class/,
    );
  });
});

describe('a class decorator that returns a subclass, as most do', () => {
  type Decorate = (target: Type<object>) => unknown;
  const extended: Decorate = (original) => class extends original {};
  const controller: Decorate = Controller('extended');
  const authorized: Decorate = Authorized({ roles: ['admin'] });

  it.each<[string, readonly Decorate[]]>([
    ['above', [extended, controller, authorized]],
    ['between', [controller, extended, authorized]],
    ['below', [controller, authorized, extended]],
  ])('[L3] keeps the requirements of the class when it stands %s the others', async (_, chain) => {
    @Controller()
    class Plain {
      @Get()
      get(): string {
        return 'ok';
      }
    }
    const decorated = chain.reduceRight<Type<object>>((target, decorate) => {
      const replacement = decorate(target);
      return isType(replacement) ? replacement : target;
    }, Plain);
    for (const secureByDefault of [false, true]) {
      const statusOf = await statusesOf([decorated], { secureByDefault });
      expect([await statusOf('/extended'), await statusOf('/extended', { roles: ['user'] })]).toEqual([
        401, 403,
      ]);
      expect(await statusOf('/extended', { roles: ['admin'] })).toBe(200);
    }
  });
});

describe('an empty class without decorators', () => {
  it('[L3] returns no requirements, as for the class that a unit test of a guard makes up', () => {
    class Made {}
    expect(requirementsFor(Made, () => undefined)).toMatchObject({ isMarked: false, isAnonymous: false });
  });

  it('[L3] throws when a function that is no class stands in its place', () => {
    expect(() => Reflect.apply(requirementsFor, undefined, [function made() {}, () => undefined])).toThrow(
      /function that is no class/,
    );
  });
});

function isType(value: unknown): value is Type<object> {
  return typeof value === 'function';
}
