import { Controller, Get } from '@nestjs/common';
import { Authorized, CurrentUser } from 'nestjs-resilient-auth';

/** What a leaked token must not reach: each request needs a proof that its sender holds the key of the token. */
@Controller('payments')
@Authorized({ dpop: true, scopes: ['orders:read'] })
export class PaymentsController {
  @Get()
  list(@CurrentUser('client_id') client: string): { payments: readonly object[]; provenBy: string } {
    return { payments: [{ order: 1, amount: '12.50 EUR' }], provenBy: client };
  }
}
