import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Authorized, CurrentUser } from 'nestjs-resilient-auth';
import type { NewOrder, Order } from '../orders/order.js';
import { OrdersService } from '../orders/orders.service.js';
import { NewOrderInput, OrderObject } from './order.object.js';
import { ParseNewOrderPipe } from './parse-new-order.pipe.js';

@Resolver(() => OrderObject)
export class OrdersResolver {
  constructor(private readonly service: OrdersService) {}

  @Query(() => [OrderObject])
  @Authorized({ scopes: ['orders:read'] })
  orders(): readonly Order[] {
    return this.service.list();
  }

  @Mutation(() => OrderObject)
  @Authorized({ scopes: ['orders:write'] })
  placeOrder(
    @Args('order', { type: () => NewOrderInput }, ParseNewOrderPipe) newOrder: NewOrder,
    @CurrentUser('sub') subject: string,
  ): Order {
    return this.service.place(newOrder, subject);
  }
}
