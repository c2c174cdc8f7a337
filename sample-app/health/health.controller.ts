import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { AllowAnonymous, MetadataProvider } from 'nestjs-resilient-auth';
import type { MetadataStatus } from 'nestjs-resilient-auth';
import { AuthHealthIndicator } from 'nestjs-resilient-auth/terminus';

/** Anonymous, so it leaves out `lastFailure`: a message may name inner addresses. */
export type Health = Pick<
  MetadataStatus,
  'state' | 'source' | 'keyIds' | 'checkedAt' | 'nextRefreshAt' | 'expiresAt'
>;

@Controller('health')
export class HealthController {
  constructor(
    private readonly metadata: MetadataProvider,
    private readonly checks: HealthCheckService,
    private readonly auth: AuthHealthIndicator,
  ) {}

  @Get()
  @AllowAnonymous()
  health(): Health {
    const { state, source, keyIds, checkedAt, nextRefreshAt, expiresAt } = this.metadata.status();
    return { state, source, keyIds, checkedAt, nextRefreshAt, expiresAt };
  }

  /** For a readiness probe: 503 when no request with a token can be answered. Never for liveness. */
  @Get('ready')
  @AllowAnonymous()
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.checks.check([() => this.auth.isHealthy()]);
  }
}
