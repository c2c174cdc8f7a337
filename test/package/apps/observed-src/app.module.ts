import { Controller, Get, Module, type DynamicModule } from '@nestjs/common';
import { AuthModule, Authorized, CurrentUser, type ResilientAuthOptions } from 'nestjs-resilient-auth';

@Controller('orders')
@Authorized({ scopes: ['orders:read'] })
export class OrdersController {
  @Get()
  list(@CurrentUser('sub') subject: string): { subject: string } {
    return { subject };
  }
}

@Module({ controllers: [OrdersController] })
export class AppModule {
  static register(auth: ResilientAuthOptions): DynamicModule {
    return { module: AppModule, imports: [AuthModule.forRoot(auth)] };
  }
}
