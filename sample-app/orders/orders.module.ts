import { Module } from '@nestjs/common';
import type { Feature } from '../feature.js';
import { AdminController } from './admin.controller.js';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';

@Module({
  controllers: [OrdersController, AdminController],
  providers: [OrdersService],
  exports: [OrdersService],
})
export class OrdersModule {}

export const orders: Feature = {
  module: OrdersModule,
  routes: [
    { method: 'GET', path: '/orders', requires: 'scope orders:read' },
    { method: 'GET', path: '/orders/1', requires: 'scope orders:read' },
    {
      method: 'POST',
      path: '/orders',
      requires: 'scope orders:write',
      body: { item: 'milk', quantity: 2 },
    },
    { method: 'GET', path: '/admin/stats', requires: 'role admin' },
  ],
};
