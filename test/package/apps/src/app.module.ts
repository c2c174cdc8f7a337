import { Controller, Get, Injectable, Module, Scope, type DynamicModule } from '@nestjs/common';
import {
  AuthModule,
  Authorized,
  CurrentUser,
  MetadataProvider,
  type ResilientAuthOptions,
  type ResilientAuthOptionsFactory,
} from 'nestjs-resilient-auth';

export interface OrderList {
  subject: string;
  keyIds: readonly string[];
}

@Controller('orders')
@Authorized({ scopes: ['orders:read'] })
export class OrdersController {
  // Injected by its class: emitted decorator metadata must name the very class our module provides.
  constructor(private readonly metadata: MetadataProvider) {}

  @Get()
  list(@CurrentUser('sub') subject: string): OrderList {
    return { subject, keyIds: this.metadata.status().keyIds };
  }
}

/** Nothing here is decorated: only `secureByDefault` protects it. */
@Controller('orders')
export class PlainController {
  @Get()
  list(@CurrentUser('sub') subject: string): Pick<OrderList, 'subject'> {
    return { subject };
  }
}

@Module({ controllers: [OrdersController] })
export class AppModule {
  static register(auth: ResilientAuthOptions): DynamicModule {
    return { module: AppModule, imports: [AuthModule.forRoot(auth)] };
  }
}

@Module({ controllers: [PlainController] })
export class FactoryModule {
  static register(auth: ResilientAuthOptions): DynamicModule {
    const module = AuthModule.forRootAsync({ useFactory: () => auth, secureByDefault: true });
    return { module: FactoryModule, imports: [module] };
  }
}

/** A mistake: options per request. Some versions of Nest would then run no global guard at all. */
@Module({ controllers: [PlainController] })
export class RequestScopedModule {
  static register(auth: ResilientAuthOptions): DynamicModule {
    @Injectable({ scope: Scope.REQUEST })
    class TenantOptions implements ResilientAuthOptionsFactory {
      createResilientAuthOptions(): ResilientAuthOptions {
        return auth;
      }
    }
    const module = AuthModule.forRootAsync({ useClass: TenantOptions, secureByDefault: true });
    return { module: RequestScopedModule, imports: [module] };
  }
}

/** A gateway that nothing decorates, by the metadata of its decorators alone: NestJS 11 runs no global guard for it. */
@Module({})
export class GatewayModule {
  static register(auth: ResilientAuthOptions): DynamicModule {
    class PlainGateway {
      listen(): void {}
    }
    Reflect.defineMetadata('websockets:is_gateway', true, PlainGateway);
    const { value } = Object.getOwnPropertyDescriptor(PlainGateway.prototype, 'listen') ?? {};
    Reflect.defineMetadata('websockets:message_mapping', true, value);
    const module = AuthModule.forRoot({ ...auth, secureByDefault: true });
    return { module: GatewayModule, imports: [module], providers: [PlainGateway] };
  }
}
