import 'reflect-metadata';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { attachToken } from 'nestjs-resilient-auth/microservices';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { lastValueFrom } from 'rxjs';
import { WebSocket } from 'ws';
import { DoorsModule } from './app.module.js';

// Each line is one answer for prove.mjs, as in src/main.ts.
async function main(): Promise<void> {
  const issuer = await TestIssuer.start({ audience: 'orders' });
  const app = await NestFactory.create(DoorsModule.register(issuer.options()), { logger: false });
  app.useWebSocketAdapter(new WsAdapter(app));
  const messages = app.connectMicroservice(
    { transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } },
    { inheritAppConfig: true },
  );
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const { port: messagePort } = messages.unwrap<{ address(): AddressInfo }>().address();

  for (const isKnown of [false, true]) {
    const token = isKnown ? await issuer.sign({ sub: 'alice' }) : undefined;
    const caller = isKnown ? 'with a token' : 'without a token';
    console.log(`GraphQL, ${caller}: ${await query(app, token)}`);
    console.log(`WebSocket, ${caller}: ${await message(app, token)}`);
    console.log(`microservice, ${caller}: ${await send(messagePort, token)}`);
  }
  await issuer.rotateKeys({ keepOld: false });
  console.log(`GraphQL, after a key rollover: ${await query(app, await issuer.sign({ sub: 'alice' }))}`);
  await app.close();
  await issuer.close();
  console.log('closed');
}

async function query(app: INestApplication, token?: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${portOf(app)}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization(token) },
    body: JSON.stringify({ query: '{ me }' }),
  });
  const { data, errors }: GraphAnswer = JSON.parse(await answer.text());
  return data?.me ?? errors?.[0]?.extensions.errorCode ?? 'nothing';
}

interface GraphAnswer {
  readonly data?: { readonly me?: string } | null;
  readonly errors?: readonly { readonly extensions: { readonly errorCode?: string } }[];
}

async function message(app: INestApplication, token?: string): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${portOf(app)}/live`, { headers: authorization(token) });
  try {
    await once(socket, 'open');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  socket.send(JSON.stringify({ event: 'me' }));
  const [text] = await once(socket, 'message');
  socket.terminate();
  const { data }: { data: string } = JSON.parse(String(text));
  return data;
}

async function send(port: number, token?: string): Promise<string> {
  const client = ClientProxyFactory.create({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port },
  });
  try {
    if (token !== undefined) attachToken(client, () => token);
    return await lastValueFrom(client.send<string>('me', {}));
  } catch (error) {
    return typeof error === 'object' && error !== null && 'errorCode' in error
      ? String(error.errorCode)
      : 'no metadata beside the payload';
  } finally {
    await client.close();
  }
}

function authorization(token?: string): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function portOf(app: INestApplication): number {
  const { port }: AddressInfo = app.getHttpServer().address();
  return port;
}

void main();
