import { Controller, Get, Module, UseGuards, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Order } from '../orders/order.js';
import { OrdersService } from '../orders/orders.service.js';
import { JwtGuard } from './jwt.guard.js';
import { JwtStrategy, type RecipeIssuer } from './jwt.strategy.js';

@Controller('orders')
@UseGuards(JwtGuard)
class RecipeOrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Get()
  list(): readonly Order[] {
    return this.orders.list();
  }
}

@Module({})
class RecipeModule {
  static forIssuer(issuer: RecipeIssuer): DynamicModule {
    return {
      module: RecipeModule,
      imports: [PassportModule],
      controllers: [RecipeOrdersController],
      providers: [OrdersService, { provide: JwtStrategy, useFactory: () => new JwtStrategy(issuer) }],
    };
  }
}

/** The same orders route behind the usual recipe, on a free port of loopback: what the playground compares with. */
export async function startRecipe(issuer: RecipeIssuer): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(RecipeModule.forIssuer(issuer), {
    abortOnError: false,
    forceCloseConnections: true,
    logger: ['error', 'fatal'],
  });
  await app.listen(0, '127.0.0.1');
  return app;
}
