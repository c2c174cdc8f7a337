import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AuthModule, Clock, type AuthModuleExtras, type ResilientAuthOptions } from 'nestjs-resilient-auth';
import request from 'supertest';
import { OrdersModule } from './orders.module.js';
import type { CreateApplication } from './platforms.js';

/** A protected API under test, and the requests a spec sends to it. */
export class Api implements AsyncDisposable {
  private constructor(readonly app: INestApplication) {}

  static async start(
    create: CreateApplication,
    options: ResilientAuthOptions & AuthModuleExtras,
    { clock }: { clock?: Clock } = {},
  ): Promise<Api> {
    const builder = Test.createTestingModule({ imports: [AuthModule.forRoot(options), OrdersModule] });
    if (clock) builder.overrideProvider(Clock).useValue(clock);
    return new Api(await create(builder));
  }

  get(path: string, token?: string): request.Test {
    const test = request(this.app.getHttpServer()).get(path);
    return token === undefined ? test : test.set('Authorization', `Bearer ${token}`);
  }

  post(path: string, token: string): request.Test {
    return request(this.app.getHttpServer()).post(path).set('Authorization', `Bearer ${token}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
  }
}
