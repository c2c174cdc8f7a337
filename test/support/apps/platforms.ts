import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { TestingModuleBuilder } from '@nestjs/testing';

/** Both HTTP platforms of Nest: what a user sees must not depend on which one it is. */
export const platforms = [
  { platform: 'Express', create: createOnExpress },
  { platform: 'Fastify', create: createOnFastify },
] as const;

export type CreateApplication = (builder: TestingModuleBuilder) => Promise<INestApplication>;

async function createOnExpress(builder: TestingModuleBuilder): Promise<INestApplication> {
  const app = (await builder.compile()).createNestApplication(new ExpressAdapter(), { logger: false });
  return app.init();
}

async function createOnFastify(builder: TestingModuleBuilder): Promise<INestApplication> {
  const module = await builder.compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}
