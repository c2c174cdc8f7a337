import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { expose } from '../../support/remote.js';
import { collectGarbage } from '../heap.js';
import type { Platform } from '../settings.js';
import type { Trust } from '../tokens/issuer-process.js';
import { ENTRIES } from './variants.js';

/** What a service is started with. */
export interface ServiceOrder {
  readonly variant: string;
  readonly platform: Platform;
  readonly trust: Trust;
  readonly cacheMax: number;
}

/** One variant on one platform, in a process of its own. */
export class Service {
  private constructor(private readonly listeningOn: number) {}

  static async start({ variant, platform, trust, cacheMax }: ServiceOrder): Promise<Service> {
    const entry = ENTRIES.find(({ name }) => name === variant);
    if (!entry) throw new Error(`There is no variant "${variant}"`);
    const { module, middleware } = await entry.start(trust, cacheMax);
    const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
    const app = await NestFactory.create(module, adapter, { logger: false });
    if (middleware) app.use(middleware);
    await app.listen(0, '127.0.0.1');
    return new Service(Number(new URL(await app.getUrl()).port));
  }

  port(): number {
    return this.listeningOn;
  }

  /**
   * Collects the garbage of the warm-up. One dead request in the old generation keeps later requests of its connection
   * alive through every small collection and doubles the cost of any service, protected or not: without this, chance
   * would decide which service is affected.
   */
  collectGarbage(): void {
    collectGarbage();
  }

  /** Processor time this process has used so far, in microseconds: all of its threads. */
  processorTime(): number {
    const { user, system } = process.cpuUsage();
    return user + system;
  }
}

// Imported elsewhere for its types alone, this file runs only as a process.
const order: ServiceOrder = JSON.parse(process.argv[2] ?? '');
expose(await Service.start(order));
