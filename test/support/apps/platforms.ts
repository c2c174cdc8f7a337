import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { TestingModuleBuilder } from '@nestjs/testing';

/** Both HTTP platforms of Nest: what a user sees must not depend on which one it is. */
export const platforms = [
  { platform: 'Express', create: createOnExpress },
  { platform: 'Fastify', create: createOnFastify },
] as const;

/** @param configure called before the application is initialized: prefix, versions, CORS */
export type CreateApplication = (
  builder: TestingModuleBuilder,
  configure?: (app: INestApplication) => void,
) => Promise<INestApplication>;

async function createOnExpress(
  ...[builder, configure]: Parameters<CreateApplication>
): Promise<INestApplication> {
  const app = (await builder.compile()).createNestApplication(new ExpressAdapter(), { logger: false });
  configure?.(app);
  return app.init();
}

async function createOnFastify(
  ...[builder, configure]: Parameters<CreateApplication>
): Promise<INestApplication> {
  const module = await builder.compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  configure?.(app);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}
