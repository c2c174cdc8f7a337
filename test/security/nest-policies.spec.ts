import {
  Controller,
  Get,
  Global,
  Inject,
  Injectable,
  Module,
  Param,
  Scope,
  type ExecutionContext,
  type ModuleMetadata,
  type Type,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Authorized, type AuthModuleExtras } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { platforms } from '../support/apps/platforms.js';
import { issuerAndApi } from '../support/apps/start-api.js';

interface User {
  readonly sub: string;
}

const ownerOf: Readonly<Record<string, string>> = { '1': 'alice', '2': 'bob' };

/** The rule of the shared kernel: the owner alone. */
@Injectable()
class OwnsOrder {
  authorize(user: User, context: ExecutionContext): boolean {
    return ownerOf[context.switchToHttp().getRequest().params.id] === user.sub;
  }
}

/** The same token with another rule, in a module that has nothing to do with orders. */
const anything = { provide: OwnsOrder, useValue: { authorize: () => true } };

function ordersController(path: string): Type {
  @Controller(path)
  class OrdersController {
    @Authorized({ policy: OwnsOrder })
    @Get(':id')
    get(@Param('id') id: string): string {
      return id;
    }
  }
  return OrdersController;
}

function moduleOf(metadata: ModuleMetadata): Type {
  @Module(metadata)
  class TestModule {}
  return TestModule;
}

const extras: readonly AuthModuleExtras[] = [{ secureByDefault: false }, { secureByDefault: true }];

/** docs/security-checklist.md L, L3. */
describe.each(extras)('a policy class, %j', (given) => {
  const start = async (...imports: Type[]) => {
    const { get } = await issuerAndApi(platforms[0].create, given, { imports, controllers: [] });
    return async (path: string, sub: string) => (await get(path, { sub })).status;
  };

  const shared = moduleOf({ providers: [OwnsOrder], exports: [OwnsOrder] });
  const reExporting = moduleOf({ imports: [shared], exports: [shared] });
  const unrelated = moduleOf({ providers: [anything] });
  const lenient = moduleOf({ controllers: [ordersController('lenient')], providers: [anything] });
  const global = moduleOf({ providers: [OwnsOrder], exports: [OwnsOrder] });
  Global()(global);

  it.each<[string, Type[]]>([
    ['its own module', [moduleOf({ controllers: [ordersController('orders')], providers: [OwnsOrder] })]],
    ['an import', [moduleOf({ controllers: [ordersController('orders')], imports: [shared] })]],
    ['a re-export', [moduleOf({ controllers: [ordersController('orders')], imports: [reExporting] })]],
    ['a global module', [moduleOf({ controllers: [ordersController('orders')] }), global]],
    [
      'an alias',
      [
        moduleOf({
          controllers: [ordersController('orders')],
          providers: [
            { provide: 'rule', useClass: OwnsOrder },
            { provide: OwnsOrder, useExisting: 'rule' },
          ],
        }),
      ],
    ],
  ])('[L3] applies the class from %s, and none of another module', async (_, modules) => {
    for (const imports of [
      [...modules, unrelated, lenient],
      [unrelated, lenient, ...modules],
    ]) {
      const statusOf = await start(...imports);
      expect(await statusOf('/orders/1', 'alice')).toBe(200);
      expect(await statusOf('/orders/2', 'alice')).toBe(403);
      expect(await statusOf('/lenient/2', 'alice')).toBe(200);
    }
  });

  it('[L3] creates the policy for each request when it is request-scoped', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class OwnsRequestedOrder extends OwnsOrder {
      constructor(@Inject(REQUEST) private readonly request: { params: { id: string } }) {
        super();
      }

      override authorize(user: User): boolean {
        return ownerOf[this.request.params.id] === user.sub;
      }
    }
    const provider = { provide: OwnsOrder, useClass: OwnsRequestedOrder };
    const statusOf = await start(
      moduleOf({ controllers: [ordersController('orders')], providers: [provider] }),
      lenient,
    );
    const calls = ['1', '2', '1', '2'].map((id) => statusOf(`/orders/${id}`, 'alice'));
    expect(await Promise.all(calls)).toEqual([200, 403, 200, 403]);
  });

  it('[L3] calls authorize when it is a property', async () => {
    @Injectable()
    class OnlyAlice {
      readonly authorize = (user: User): boolean => user.sub === 'alice';
    }
    @Controller('property')
    class PropertyController {
      @Authorized({ policy: OnlyAlice })
      @Get()
      get(): string {
        return 'ok';
      }
    }
    const statusOf = await start(moduleOf({ controllers: [PropertyController], providers: [OnlyAlice] }));
    expect(await statusOf('/property', 'alice')).toBe(200);
    expect(await statusOf('/property', 'bob')).toBe(403);
  });

  it('[L3] calls the policy of a shared module when one controller stands in several modules', async () => {
    const controller = ordersController('orders');
    const modules = [1, 2].map(() => moduleOf({ controllers: [controller], imports: [shared] }));
    const statusOf = await start(...modules);
    expect(await statusOf('/orders/1', 'alice')).toBe(200);
    expect(await statusOf('/orders/2', 'alice')).toBe(403);
  });

  it('[L3] rejects the boot when no module provides it', async () => {
    const imports = [moduleOf({ controllers: [ordersController('orders')] }), unrelated, shared];
    await expect(start(...imports)).rejects.toThrow(/OrdersController needs OwnsOrder.*providers/);
  });

  it('[L3] rejects the boot when its controller stands in modules with different rules', async () => {
    const controller = ordersController('orders');
    const modules = [
      moduleOf({ controllers: [controller], providers: [OwnsOrder] }),
      moduleOf({ controllers: [controller], providers: [anything] }),
    ];
    await expect(start(...modules)).rejects.toThrow(/several modules.*OwnsOrder/);
  });
});

describe('what a policy returns', () => {
  it.each(['1', '"yes"', '{}', '[true]', '"true"', 'null', '0', 'false'])(
    '[L3] answers 403 when it is %s, also when it is awaited, and 200 for true alone',
    async (text) => {
      const verdict = JSON.parse(text);
      @Controller('verdicts')
      class VerdictsController {
        @Authorized({ policy: () => verdict })
        @Get('now')
        now(): string {
          return 'now';
        }

        @Authorized({ policy: async () => verdict })
        @Get('later')
        later(): string {
          return 'later';
        }

        @Authorized({ policy: async () => true })
        @Get('true')
        true(): string {
          return 'true';
        }
      }
      const { get } = await issuerAndApi(platforms[0].create, {}, { controllers: [VerdictsController] });
      for (const path of ['now', 'later']) {
        const { status, body } = await get(`/verdicts/${path}`, { sub: 'alice' });
        expect([status, body.errorCode]).toEqual([403, 'AUTH_POLICY_REFUSED']);
      }
      expect((await get('/verdicts/true', { sub: 'alice' })).status).toBe(200);
    },
  );
});
