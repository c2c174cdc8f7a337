import { Module } from '@nestjs/common';
import type { Feature } from '../feature.js';
import { OrdersModule } from '../orders/orders.module.js';
import { McpController } from './mcp.controller.js';

@Module({ imports: [OrdersModule], controllers: [McpController] })
class McpModule {}

export const mcp: Feature = {
  module: McpModule,
  routes: [{ method: 'GET', path: '/.well-known/oauth-protected-resource', requires: 'nothing' }],
  // Not among the routes: a request needs more headers than the playground sends.
  channels: [{ transport: 'MCP', name: '/mcp', requires: 'scope orders:read for the tool list_orders' }],
};
