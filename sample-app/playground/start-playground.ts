import type { DynamicModule } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { IssuerOptions, MetadataOptions } from 'nestjs-resilient-auth';
import { startProvider } from '../provider/embedded-provider.js';
import { embeddedAudience } from '../provider/provider-configuration.js';
import { startRecipe } from '../recipe/recipe.module.js';
import { trust } from '../settings.js';
import { PlaygroundModule } from './playground.module.js';
import { PlaygroundService } from './playground.service.js';

/** Shorter than the defaults (10 minutes, 5 seconds, 5 seconds), so that a minute shows what otherwise takes hours. */
const refreshSettings = {
  automaticRefreshInterval: '5s',
  refreshInterval: '2s',
  timeout: '2s',
} satisfies MetadataOptions;

/** What the API of the playground is made of, and what surrounds it. */
export interface Playground {
  /** Address of the embedded provider. */
  readonly provider: string;
  /** The issuer that the API is to trust. */
  readonly issuer: IssuerOptions;
  /** The module that the API is to import. */
  readonly module: DynamicModule;
  /** To be called once the API listens; the load starts when the page is opened. */
  open(app: NestExpressApplication): Promise<void>;
  /** Stops what surrounds the API; close the API first. */
  close(): Promise<void>;
}

/** Starts the embedded provider and the API behind the usual recipe. */
export async function startPlayground({ providerPort }: { providerPort: number }): Promise<Playground> {
  const provider = await startProvider({ port: providerPort });
  const { issuer } = provider;
  const recipe = await startRecipe({ issuer, audience: embeddedAudience }).catch(async (error: unknown) => {
    await provider.close();
    throw error;
  });
  const trusted = trust(issuer, embeddedAudience);
  return {
    provider: issuer,
    issuer: { ...trusted, metadata: { ...trusted.metadata, ...refreshSettings } },
    module: PlaygroundModule.forProvider(provider),
    open: async (app) => {
      // The load keeps its connections: opening hundreds anew would slow down more than the attacker.
      for (const api of [app, recipe]) api.getHttpServer().keepAliveTimeout = 60_000;
      const [library, other] = await Promise.all([app.getUrl(), recipe.getUrl()]);
      app.get(PlaygroundService).aim({ library: `${library}/orders`, recipe: `${other}/orders` });
    },
    close: async () => {
      await recipe.close();
      await provider.close();
    },
  };
}
