import { Module } from '@nestjs/common';
import type { Feature } from '../feature.js';
import { OrdersModule } from '../orders/orders.module.js';
import { RefundsController } from './refunds.controller.js';

@Module({ imports: [OrdersModule], controllers: [RefundsController] })
class RefundsModule {}

export const refunds: Feature = {
  module: RefundsModule,
  routes: [
    {
      method: 'POST',
      path: '/refunds',
      requires: 'scope orders:write, and a login with acr phr in the last five minutes',
      body: { order: 1 },
    },
  ],
};
