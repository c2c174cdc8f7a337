import 'reflect-metadata';
import { setTimeout as wait } from 'node:timers/promises';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { Authorized, AuthModule } from 'nestjs-resilient-auth';
import { openTelemetry } from 'nestjs-resilient-auth/opentelemetry';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { steadyLoad } from '../support/steady-load.js';

/** Something that happens to the issuer, at a time in seconds since the epoch. */
interface Mark {
  readonly at: number;
  readonly what: string;
}

/** When the story was, in seconds since the epoch. */
export interface Story {
  readonly from: number;
  readonly until: number;
  readonly marks: readonly Mark[];
}

@Controller('orders')
@Authorized({ scopes: ['orders:read'] })
class OrdersController {
  @Get()
  list(): readonly string[] {
    return ['milk'];
  }
}

/** Requests a second. */
const LOAD = 60;
const FLOOD = 40;

/** Runs the application and everything that happens to it. Intervals are shorter than the defaults, to fit into minutes. */
export async function runStory(exporterPort: number): Promise<Story> {
  const issuer = await TestIssuer.start({ audience: 'orders', alg: 'ES256', name: 'main' });
  const exporter = new PrometheusExporter({ host: '127.0.0.1', port: exporterPort });
  const meterProvider = new MeterProvider({ readers: [exporter] });
  const metadata = { automaticRefreshInterval: '10s', refreshInterval: '5s', requireHttps: false };
  const options = issuer.options({ metadata, extensions: [openTelemetry({ meterProvider })] });
  @Module({ imports: [AuthModule.forRoot(options)], controllers: [OrdersController] })
  class StoryModule {}
  const app = await NestFactory.create(StoryModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  const url = `${await app.getUrl()}/orders`;

  const clients = new Clients(issuer, url);
  const marks: Mark[] = [];
  const mark = (what: string): void => void marks.push({ at: now(), what });
  await clients.run(12);
  const from = now();
  await clients.run(18);
  mark('rollover');
  await issuer.rotateKeys();
  await clients.run(25);
  mark('flood');
  await Promise.all([clients.run(20), clients.flood(20)]);
  mark('flood ends');
  await clients.run(30);
  mark('issuer down');
  issuer.fail({ mode: { status: 503 } });
  await clients.run(40);
  mark('issuer up');
  issuer.recover();
  await clients.run(30);
  const until = now();
  await wait(1500);
  await app.close();
  await meterProvider.shutdown();
  await issuer.close();
  return { from, until, marks };
}

function now(): number {
  return Date.now() / 1000;
}

/** A few users whose tokens are used many times, new ones now and then, and attackers. */
class Clients {
  readonly #tokens: string[] = [];

  constructor(
    private readonly issuer: TestIssuer,
    private readonly url: string,
  ) {}

  async run(seconds: number): Promise<void> {
    await steadyLoad(LOAD, seconds, (index) => void this.#ask(index));
  }

  async flood(seconds: number): Promise<void> {
    await steadyLoad(FLOOD, seconds, () => void this.#forge());
  }

  async #ask(index: number): Promise<void> {
    const isNew = index % 30 === 0;
    // As of now: after a rollover by the new key.
    if (isNew) this.#tokens.unshift(await this.issuer.sign({ sub: `user-${index}`, scope: 'orders:read' }));
    this.#tokens.splice(20);
    const token = isNew ? this.#tokens[0] : this.#tokens[index % Math.max(1, this.#tokens.length)];
    const isAnonymous = index % 40 === 7;
    await this.#send(isAnonymous ? undefined : token);
  }

  async #forge(): Promise<void> {
    const [, payload, signature] = (await this.issuer.sign({ sub: 'mallory' })).split('.');
    const header = { alg: 'ES256', typ: 'at+jwt', kid: `forged-${Math.random()}` };
    await this.#send(`${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`);
  }

  async #send(token: string | undefined): Promise<void> {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(this.url, { headers }).catch(() => undefined);
    await answer?.arrayBuffer();
  }
}
