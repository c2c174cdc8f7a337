import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Authorized, CurrentUser } from 'nestjs-resilient-auth';
import { newOrderSchema, type NewOrder, type Order } from '../orders/order.js';
import { OrdersService } from '../orders/orders.service.js';

@Controller()
export class OrdersHandler {
  constructor(private readonly orders: OrdersService) {}

  @MessagePattern('orders.list')
  @Authorized({ scopes: ['orders:read'] })
  list(): readonly Order[] {
    return this.orders.list();
  }

  @MessagePattern('orders.place')
  @Authorized({ scopes: ['orders:write'] })
  place(@Payload({ schema: newOrderSchema }) newOrder: NewOrder, @CurrentUser('sub') subject: string): Order {
    return this.orders.place(newOrder, subject);
  }
}
