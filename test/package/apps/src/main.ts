import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { protectedResourceMetadataUrl } from 'nestjs-resilient-auth/resource-metadata';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { AppModule, FactoryModule, GatewayModule, RequestScopedModule } from './app.module.js';

const claims = { sub: 'alice', scope: 'orders:read' };

// Each line is one answer for prove.mjs; the last one is printed when nothing is left to do, and then the process must end.
async function main(): Promise<void> {
  const issuer = await TestIssuer.start({ audience: 'orders' });

  const app = await start(AppModule.register(issuer.options()));
  console.log(`without a token: ${await call(app)}`);
  console.log(`with a token: ${await call(app, await issuer.sign(claims))}`);
  await issuer.rotateKeys({ keepOld: false });
  console.log(`after a key rollover: ${await call(app, await issuer.sign(claims))}`);
  await app.close();

  const secure = await start(FactoryModule.register(issuer.options()));
  console.log(`secure by default, without a token: ${await call(secure)}`);
  console.log(`secure by default, with a token: ${await call(secure, await issuer.sign(claims))}`);
  await secure.close();

  console.log(`options per request: ${await refusalOf(RequestScopedModule.register(issuer.options()))}`);
  console.log(`an undecorated gateway: ${await refusalOf(GatewayModule.register(issuer.options()))}`);

  const found = { publicUrl: 'https://orders.example/v1', protectedResource: true } as const;
  const discoverable = await start(AppModule.register({ ...issuer.options(), ...found }));
  console.log(`resource metadata: ${await metadataOf(discoverable)}`);
  await discoverable.close();

  await issuer.close();
  console.log('closed');
}

async function start(module: DynamicModule): Promise<INestApplication> {
  const app = await NestFactory.create(module, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  return app;
}

async function call(app: INestApplication, token?: string): Promise<string> {
  const { port }: AddressInfo = app.getHttpServer().address();
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(`http://127.0.0.1:${port}/orders`, { headers });
  const body: { subject?: string; errorCode?: string } = JSON.parse(await answer.text());
  return `${answer.status} ${body.subject ?? body.errorCode}`;
}

/** At the address that a challenge names. */
async function metadataOf(app: INestApplication): Promise<string> {
  const { port }: AddressInfo = app.getHttpServer().address();
  const url = protectedResourceMetadataUrl('https://orders.example/v1');
  const answer = await fetch(`http://127.0.0.1:${port}${new URL(url).pathname}`);
  const body: { resource?: string; scopes_supported?: string[] } = JSON.parse(await answer.text());
  return `${answer.status} ${body.resource} ${body.scopes_supported?.join(' ')}`;
}

async function refusalOf(module: DynamicModule): Promise<string> {
  try {
    const app = await NestFactory.create(module, { logger: false, abortOnError: false });
    await app.init();
    await app.close();
    return 'accepted';
  } catch (error) {
    return `refused, ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}`;
  }
}

void main();
