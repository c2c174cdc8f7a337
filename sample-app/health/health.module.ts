import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AuthHealthIndicator } from 'nestjs-resilient-auth/terminus';
import type { Feature } from '../feature.js';
import { HealthController } from './health.controller.js';

@Module({
  imports: [TerminusModule],
  controllers: [HealthController],
  providers: [AuthHealthIndicator],
})
class HealthModule {}

export const health: Feature = {
  module: HealthModule,
  routes: [
    { method: 'GET', path: '/health', requires: 'nothing' },
    { method: 'GET', path: '/health/ready', requires: 'nothing; 503 while tokens cannot be checked' },
  ],
};
