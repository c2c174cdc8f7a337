import { SubscribeMessage, WebSocketGateway, type OnGatewayInit, type WsResponse } from '@nestjs/websockets';
import { Authorized } from 'nestjs-resilient-auth';
import { HandshakeAuthentication } from 'nestjs-resilient-auth/websockets';
import { map, type Observable } from 'rxjs';
import type { Server } from 'socket.io';
import type { Order } from '../orders/order.js';
import { OrdersService } from '../orders/orders.service.js';

@WebSocketGateway({ path: '/live', serveClient: false })
@Authorized({ scopes: ['orders:read'] })
export class OrdersGateway implements OnGatewayInit {
  constructor(
    private readonly orders: OrdersService,
    private readonly handshakes: HandshakeAuthentication,
  ) {}

  afterInit(server: Server): void {
    this.handshakes.protect(server, { renewEvent: 'auth:renew' });
  }

  @SubscribeMessage('orders.count')
  count(): number {
    return this.orders.list().length;
  }

  /** Sends each new order to the client, until it goes or its token ends. */
  @SubscribeMessage('orders.watch')
  watch(): Observable<WsResponse<Order>> {
    return this.orders.placed$.pipe(map((data) => ({ event: 'orders.placed', data })));
  }
}
