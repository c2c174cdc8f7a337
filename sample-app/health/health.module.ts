import { Module } from '@nestjs/common';
import type { Feature } from '../feature.js';
import { HealthController } from './health.controller.js';

@Module({ controllers: [HealthController] })
class HealthModule {}

export const health: Feature = {
  module: HealthModule,
  routes: [{ method: 'GET', path: '/health', requires: 'nothing' }],
};
