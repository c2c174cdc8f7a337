import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { expose } from '../../support/remote.js';
import { collectGarbage } from '../heap.js';
import type { Platform } from '../settings.js';
import type { Trust } from '../tokens/issuer-process.js';
import { PROOF_ENTRIES } from './variants.js';

/** What a service is started with. */
export interface ProofServiceOrder {
  readonly variant: string;
  readonly platform: Platform;
  readonly trust: Trust;
}

/** One variant on one platform, in a process of its own. */
export class ProofService {
  private constructor(private readonly listeningOn: number) {}

  static async start({ variant, platform, trust }: ProofServiceOrder): Promise<ProofService> {
    const entry = PROOF_ENTRIES.find(({ name }) => name === variant);
    if (!entry) throw new Error(`There is no variant "${variant}"`);
    const { module, middleware } = entry.start(trust);
    const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
    const app = await NestFactory.create(module, adapter, { logger: false });
    if (middleware) app.use(middleware);
    await app.listen(0, '127.0.0.1');
    return new ProofService(Number(new URL(await app.getUrl()).port));
  }

  port(): number {
    return this.listeningOn;
  }

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
const order: ProofServiceOrder = JSON.parse(process.argv[2] ?? '');
expose(await ProofService.start(order));
