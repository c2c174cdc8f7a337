import { Body, Controller, Post } from '@nestjs/common';
import { Authorized, CurrentUser } from 'nestjs-resilient-auth';
import { OrdersService } from '../orders/orders.service.js';
import { newRefundSchema, type NewRefund } from './refund.js';

@Controller('refunds')
export class RefundsController {
  constructor(private readonly orders: OrdersService) {}

  /** A stolen session is not enough: the user has to have logged in lately, and well. */
  @Post()
  @Authorized({ scopes: ['orders:write'], acr: ['phr'], maxAuthAge: '5m' })
  refund(
    @Body({ schema: newRefundSchema }) { order }: NewRefund,
    @CurrentUser('sub') subject: string,
  ): { refunded: number; by: string } {
    return { refunded: this.orders.get(order).id, by: subject };
  }
}
