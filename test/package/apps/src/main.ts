import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { AppModule } from './app.module.js';

// Each line tells prove.mjs one answer; the last one is printed when nothing is left to do, and then the process must end.
async function main(): Promise<void> {
  const issuer = await TestIssuer.start({ audience: 'orders' });
  const app = await NestFactory.create(AppModule.register(issuer.options()), { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  const { port }: AddressInfo = app.getHttpServer().address();

  const call = async (token?: string): Promise<string> => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(`http://127.0.0.1:${port}/orders`, { headers });
    const body: { subject?: string; errorCode?: string } = JSON.parse(await answer.text());
    return `${answer.status} ${body.subject ?? body.errorCode}`;
  };
  const claims = { sub: 'alice', scope: 'orders:read' };

  console.log(`without a token: ${await call()}`);
  console.log(`with a token: ${await call(await issuer.sign(claims))}`);
  await issuer.rotateKeys({ keepOld: false });
  console.log(`after a key rollover: ${await call(await issuer.sign(claims))}`);

  await app.close();
  await issuer.close();
  console.log('closed');
}

void main();
