import { Controller, Get } from '@nestjs/common';
import { AllowAnonymous, MetadataProvider } from 'nestjs-resilient-auth';
import type { MetadataStatus } from 'nestjs-resilient-auth';

/** Anonymous, so it leaves out `lastFailure`: a message may name inner addresses. */
export type Health = Pick<
  MetadataStatus,
  'state' | 'source' | 'keyIds' | 'checkedAt' | 'nextRefreshAt' | 'expiresAt'
>;

@Controller('health')
export class HealthController {
  constructor(private readonly metadata: MetadataProvider) {}

  @Get()
  @AllowAnonymous()
  health(): Health {
    const { state, source, keyIds, checkedAt, nextRefreshAt, expiresAt } = this.metadata.status();
    return { state, source, keyIds, checkedAt, nextRefreshAt, expiresAt };
  }
}
