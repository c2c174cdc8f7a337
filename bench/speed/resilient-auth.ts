import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Authenticator, AuthModule, type IssuerOptions, type TokenCacheOptions } from 'nestjs-resilient-auth';
import type { Bind } from './stopwatch.js';
import type { Trust } from './tokens/issuer-process.js';

/** Our library in an application without a server. */
export interface ResilientAuth {
  readonly app: INestApplicationContext;
  readonly bind: Bind;
}

/** @param tokenCache the default when left out */
export async function startResilientAuth(
  trusted: readonly Trust[],
  tokenCache?: TokenCacheOptions,
): Promise<ResilientAuth> {
  const issuers = trusted.map(issuerOptions);
  const module = AuthModule.forRoot({ issuers, ...(tokenCache && { tokenCache }) });
  const app = await NestFactory.createApplicationContext(module, { logger: false });
  const authenticator = app.get(Authenticator);
  return { app, bind: (tokens) => (index) => authenticator.authenticate(tokens[index] ?? '') };
}

/** `alg` alone, as in the options of the other libraries. */
export function issuerOptions({ alg, issuer, audience }: Trust): IssuerOptions {
  return { issuer, audience, algorithms: [alg], metadata: { requireHttps: false } };
}
