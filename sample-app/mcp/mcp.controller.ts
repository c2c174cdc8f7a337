import type { IncomingMessage, ServerResponse } from 'node:http';
import { All, Controller, Req, Res } from '@nestjs/common';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/server';
import { Authorized } from 'nestjs-resilient-auth';
import { OrdersService } from '../orders/orders.service.js';

@Controller('mcp')
export class McpController {
  constructor(private readonly orders: OrdersService) {}

  @All()
  @Authorized({ scopes: ['orders:read'] })
  async handle(
    @Req() request: IncomingMessage & { body?: unknown },
    @Res() response: ServerResponse,
  ): Promise<void> {
    // Without sessions: a server and a transport for each request.
    const transport = new NodeStreamableHTTPServerTransport();
    await this.#server().connect(transport);
    await transport.handleRequest(request, response, request.body);
  }

  #server(): McpServer {
    const server = new McpServer({ name: 'orders', version: '1.0.0' });
    server.registerTool('list_orders', { description: 'Lists every order' }, ({ http }) => ({
      content: [
        {
          type: 'text',
          text: JSON.stringify({ client: http?.authInfo?.clientId, orders: this.orders.list() }),
        },
      ],
    }));
    return server;
  }
}
