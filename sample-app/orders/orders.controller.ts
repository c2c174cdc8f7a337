import { Body, Controller, Get, Param, ParseIntPipe, Post } from '@nestjs/common';
import { Authorized, CurrentUser } from 'nestjs-resilient-auth';
import { newOrderSchema } from './order.js';
import type { NewOrder, Order } from './order.js';
import { OrdersService } from './orders.service.js';

@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Get()
  @Authorized({ scopes: ['orders:read'] })
  list(): readonly Order[] {
    return this.orders.list();
  }

  @Get(':id')
  @Authorized({ scopes: ['orders:read'] })
  read(@Param('id', ParseIntPipe) id: number): Order {
    return this.orders.get(id);
  }

  @Post()
  @Authorized({ scopes: ['orders:write'] })
  create(@Body({ schema: newOrderSchema }) newOrder: NewOrder, @CurrentUser('sub') subject: string): Order {
    return this.orders.place(newOrder, subject);
  }
}
