import 'reflect-metadata';
import type { DynamicModule, NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { IssuerOptions } from 'nestjs-resilient-auth';
import { AppModule } from './app.module.js';
import { features } from './features.js';

/** The orders API, ready to listen. Listening rejects when the issuer does not answer: see `startup` in settings.ts. */
export async function createApp(
  issuer: IssuerOptions,
  options: NestApplicationOptions = {},
  extras: readonly DynamicModule[] = [],
): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forIssuer(issuer, extras), {
    // The caller reports the error; Nest would end the process first.
    abortOnError: false,
    // Kept-alive connections must not hold up a shutdown.
    forceCloseConnections: true,
    ...options,
  });
  for (const { prepare } of features) prepare?.(app);
  return app;
}
