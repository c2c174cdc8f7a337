import { Controller, Get } from '@nestjs/common';
import { Authorized } from 'nestjs-resilient-auth';
import { OrdersService } from './orders.service.js';

@Controller('admin')
@Authorized({ roles: ['admin'] })
export class AdminController {
  constructor(private readonly orders: OrdersService) {}

  @Get('stats')
  stats(): { orders: number; pieces: number } {
    return this.orders.stats();
  }
}
