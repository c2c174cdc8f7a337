import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { AuthModule } from 'nestjs-resilient-auth';
import type { IssuerOptions } from 'nestjs-resilient-auth';
import { features } from './features.js';
import { loopbackUrl } from './public-url.js';

@Module({})
export class AppModule {
  /**
   * The orders API for access tokens of one issuer.
   *
   * @param extras modules beside the features, such as the playground
   */
  static forIssuer(issuer: IssuerOptions, extras: readonly DynamicModule[] = []): DynamicModule {
    return {
      module: AppModule,
      imports: [
        AuthModule.forRoot({
          ...issuer,
          secureByDefault: true,
          publicUrl: loopbackUrl,
          protectedResource: { name: 'Orders', mcp: true },
          dpop: {},
          contexts: features.flatMap(({ context }) => context ?? []),
          extensions: features.flatMap(({ extension }) => extension ?? []),
        }),
        ...features.flatMap(({ module }) => module ?? []),
        ...extras,
      ],
      providers: [{ provide: APP_PIPE, useValue: new StandardSchemaValidationPipe() }],
    };
  }
}
