import { Controller, Get, Post, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Authorized, AuthModule, CurrentUser, type DpopOptions } from 'nestjs-resilient-auth';
import { onTestFinished } from 'vitest';
import { startProvider, type EmbeddedProvider } from '../../../sample-app/provider/embedded-provider.js';
import { embeddedAudience } from '../../../sample-app/provider/provider-configuration.js';
import type { CreateApplication } from '../apps/platforms.js';

@Authorized({ dpop: true, scopes: ['orders:read'] })
@Controller('orders')
class OrdersController {
  @Get()
  list(@CurrentUser('client_id') client: string): { client: string } {
    return { client };
  }

  @Post()
  place(@CurrentUser('client_id') client: string): { client: string } {
    return { client };
  }
}

/** A certified OpenID provider with DPoP, and an API that trusts it, both over real sockets. */
export interface ClientApi {
  readonly provider: EmbeddedProvider;
  readonly app: INestApplication;
  /** Where the API listens, and where its clients see it. */
  readonly url: string;
}

export async function startClientApi(create: CreateApplication, dpop: DpopOptions = {}): Promise<ClientApi> {
  const provider = await startProvider({ port: 0 });
  onTestFinished(() => provider.close());
  let url = '';
  const auth = AuthModule.forRoot({
    issuer: provider.issuer,
    audience: embeddedAudience,
    metadata: { requireHttps: false },
    publicUrl: () => new URL(url),
    dpop,
  });
  const app = await create(Test.createTestingModule({ imports: [auth], controllers: [OrdersController] }));
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  return { provider, app, url };
}
