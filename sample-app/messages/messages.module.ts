import { Module } from '@nestjs/common';
import { microserviceContext } from 'nestjs-resilient-auth/microservices';
import type { Feature } from '../feature.js';
import { OrdersModule } from '../orders/orders.module.js';
import { OrdersHandler } from './orders.handler.js';

@Module({ imports: [OrdersModule], controllers: [OrdersHandler] })
class MessagesModule {}

export const messages: Feature = {
  module: MessagesModule,
  context: microserviceContext(),
  routes: [],
  channels: [
    { transport: 'TCP', name: 'orders.list', requires: 'scope orders:read' },
    { transport: 'TCP', name: 'orders.place', requires: 'scope orders:write' },
  ],
};
