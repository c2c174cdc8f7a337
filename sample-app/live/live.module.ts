import { Module } from '@nestjs/common';
import { HandshakeAuthModule, webSocketContext } from 'nestjs-resilient-auth/websockets';
import type { Feature } from '../feature.js';
import { OrdersModule } from '../orders/orders.module.js';
import { OrdersGateway } from './orders.gateway.js';

@Module({ imports: [OrdersModule, HandshakeAuthModule], providers: [OrdersGateway] })
class LiveModule {}

export const live: Feature = {
  module: LiveModule,
  context: webSocketContext(),
  routes: [],
  channels: [{ transport: 'WS', name: '/live', requires: 'scope orders:read for the message orders.watch' }],
};
