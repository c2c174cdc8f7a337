import { Module } from '@nestjs/common';
import { AdminController } from './admin.controller.js';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';

@Module({ controllers: [OrdersController, AdminController], providers: [OrdersService] })
export class OrdersModule {}
