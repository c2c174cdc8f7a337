import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { AuthModule } from 'nestjs-resilient-auth';
import type { IssuerOptions } from 'nestjs-resilient-auth';
import { HealthController } from './health.controller.js';
import { OrdersModule } from './orders/orders.module.js';

@Module({})
export class AppModule {
  /** The orders API for access tokens of one issuer. */
  static forIssuer(issuer: IssuerOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [AuthModule.forRoot({ ...issuer, secureByDefault: true }), OrdersModule],
      controllers: [HealthController],
      providers: [{ provide: APP_PIPE, useValue: new StandardSchemaValidationPipe() }],
    };
  }
}
