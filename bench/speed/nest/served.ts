import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { RequestHandler } from 'express';
import { collectGarbage } from '../heap.js';
import type { Platform } from '../settings.js';

/** An application that protects its one route in one way. */
export interface Variant {
  readonly module: Type;
  /** In front of Nest's own routing. */
  readonly middleware?: RequestHandler;
}

/** A process that is measured, as the load sees it. */
export class Served {
  constructor(private readonly listeningOn: number) {}

  /** Serves a variant on a platform, on a free port of the loopback interface. */
  static async start({ module, middleware }: Variant, platform: Platform): Promise<Served> {
    const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
    const app = await NestFactory.create(module, adapter, { logger: false });
    if (middleware) app.use(middleware);
    await app.listen(0, '127.0.0.1');
    return new Served(Number(new URL(await app.getUrl()).port));
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
