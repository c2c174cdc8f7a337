import { Controller, Get, Module, type DynamicModule } from '@nestjs/common';
import {
  AuthModule,
  Authorized,
  CurrentUser,
  MetadataProvider,
  type ResilientAuthOptions,
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

@Module({ controllers: [OrdersController] })
export class AppModule {
  static register(auth: ResilientAuthOptions): DynamicModule {
    return { module: AppModule, imports: [AuthModule.forRoot(auth)] };
  }
}
