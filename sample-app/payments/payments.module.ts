import { Module } from '@nestjs/common';
import type { Feature } from '../feature.js';
import { PaymentsController } from './payments.controller.js';

@Module({ controllers: [PaymentsController] })
class PaymentsModule {}

export const payments: Feature = {
  module: PaymentsModule,
  routes: [{ method: 'GET', path: '/payments', requires: 'a token with proof of possession (DPoP)' }],
};
