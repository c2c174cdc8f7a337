import { Controller, Get, SetMetadata, type Type } from '@nestjs/common';
import { AllowAnonymous, Authorized, CurrentToken, CurrentUser } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { issuerAndApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';

@Authorized({ scopes: ['base'] })
class BaseController {
  @Authorized({ scopes: ['base-method'] })
  @Get('inherited')
  inherited(): string {
    return 'ok';
  }

  @Authorized({ scopes: ['base-method'] })
  @Get('overridden')
  overridden(): string {
    return 'ok';
  }
}

@Authorized({ scopes: ['class'] })
@Controller('derived')
class DerivedController extends BaseController {
  @Get('overridden')
  override overridden(): string {
    return 'ok';
  }

  @Authorized({ scopes: ['one'] })
  @Authorized({ scopes: ['two'], roles: ['admin'] })
  @Authorized({ roles: ['auditor', 'boss'] })
  @Get('twice')
  twice(): string {
    return 'ok';
  }

  @AllowAnonymous()
  @Get('open')
  open(@CurrentUser() user: unknown, @CurrentToken() token: unknown): object {
    return { user: user ?? null, token: token ?? null };
  }
}

async function statusesOf(
  ...controllers: Type[]
): Promise<(path: string, claims?: object) => Promise<number>> {
  const { get } = await issuerAndApi(platforms[0].create, {}, { controllers });
  return async (path, claims) => (await get(path, claims)).status;
}

/** docs/security-checklist.md L, L3, L5 and L6. */
describe('the requirements of a handler', () => {
  it.each([
    ['inherited', 'base base-method class'],
    ['overridden', 'base base-method class'],
  ])('[L3] requires the scopes of method, class and base class together: %s', async (path, scope) => {
    const statusOf = await statusesOf(DerivedController);
    expect(await statusOf(`/derived/${path}`, { scope })).toBe(200);
    for (const missing of scope.split(' ')) {
      const rest = scope.split(' ').filter((word) => word !== missing);
      expect(await statusOf(`/derived/${path}`, { scope: rest.join(' ') })).toBe(403);
    }
    expect(await statusOf(`/derived/${path}`)).toBe(401);
  });

  it('[L3] requires all of them when they stand on one target several times', async () => {
    const statusOf = await statusesOf(DerivedController);
    const claims = { scope: 'base class one two', roles: ['admin', 'boss'] };
    expect(await statusOf('/derived/twice', claims)).toBe(200);
    expect(await statusOf('/derived/twice', { ...claims, scope: 'base class two' })).toBe(403);
    for (const roles of [['admin'], ['boss'], []])
      expect(await statusOf('/derived/twice', { ...claims, roles })).toBe(403);
  });

  it('[L3] throws when a target is both open and closed', () => {
    const both = [
      () => {
        class Contradiction {
          @AllowAnonymous()
          @Authorized()
          get(): void {}
        }
        return Contradiction;
      },
      () => {
        @Authorized()
        @AllowAnonymous()
        class Contradiction {}
        return Contradiction;
      },
    ];
    for (const declare of both)
      expect(declare).toThrow(
        new TypeError('@Authorized and @AllowAnonymous stand on the same target; keep the one that is meant'),
      );
  });

  const SCOPES = 'a list of at least one scope: one per string, without spaces, quotes and backslashes';
  const NAMES = 'a list of at least one non-empty string';

  it.each([
    ['{"scopes":[]}', `@Authorized({ scopes }) takes ${SCOPES}`],
    ['{"roles":[]}', `@Authorized({ roles }) takes ${NAMES}`],
    ['{"issuers":[]}', `@Authorized({ issuers }) takes ${NAMES}`],
    ['{"scopes":[""]}', `@Authorized({ scopes }) takes ${SCOPES}`],
    ['{"scopes":"a"}', `@Authorized({ scopes }) takes ${SCOPES}`],
    ['{"scope":["a"]}', '@Authorized knows no option scope'],
    ['{"policy":true}', '@Authorized({ policy }) takes a function or an injectable class'],
  ])('[L3] throws when they require nothing: %s', (options, message) => {
    expect(() => Authorized(JSON.parse(options))).toThrow(new TypeError(message));
  });

  it('[L3] keeps them when a decorator wraps the method and copies its metadata', async () => {
    const wrap: MethodDecorator = (_target, _name, descriptor: PropertyDescriptor) => {
      const inner = descriptor.value;
      descriptor.value = function wrapped(...values: unknown[]): unknown {
        return Reflect.apply(inner, this, values);
      };
      for (const key of Reflect.getMetadataKeys(inner))
        Reflect.defineMetadata(key, Reflect.getMetadata(key, inner), descriptor.value);
    };
    @Controller('wrapped')
    class WrappedController {
      @wrap
      @SetMetadata('x', 1)
      @Authorized({ scopes: ['inner'] })
      @Get()
      get(): string {
        return 'ok';
      }
    }
    const statusOf = await statusesOf(WrappedController);
    expect(await statusOf('/wrapped', { scope: 'inner' })).toBe(200);
    expect(await statusOf('/wrapped', { scope: 'other' })).toBe(403);
    expect(await statusOf('/wrapped')).toBe(401);
  });

  it('[L3] keeps those of one class away from another with the same base', async () => {
    @Controller('sibling')
    class SiblingController extends BaseController {}
    const statusOf = await statusesOf(DerivedController, SiblingController);
    expect(await statusOf('/sibling/inherited', { scope: 'base base-method' })).toBe(200);
    expect(await statusOf('/derived/inherited', { scope: 'base base-method' })).toBe(403);
  });
});
