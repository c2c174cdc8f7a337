import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  AuthModule,
  Clock,
  MetadataProvider,
  type AuthModuleExtras,
  type ResilientAuthOptions,
} from 'nestjs-resilient-auth';
import request from 'supertest';
import { OrdersModule } from './orders.module.js';
import type { CreateApplication } from './platforms.js';

/** What an application has beside `AuthModule`. Default: the orders API, on the system's clock. */
export interface ApiSettings extends ModuleMetadata {
  readonly clock?: Clock;
}

/** A Nest application over HTTP, and the requests a spec sends to it. */
export class Api implements AsyncDisposable {
  private constructor(readonly app: INestApplication) {}

  static async start(
    create: CreateApplication,
    options: ResilientAuthOptions & AuthModuleExtras,
    { clock, imports = [], ...own }: ApiSettings = {},
  ): Promise<Api> {
    const orders = own.controllers ? [] : [OrdersModule];
    const modules = [AuthModule.forRoot(options), ...orders, ...imports];
    const builder = Test.createTestingModule({ ...own, imports: modules });
    if (clock) builder.overrideProvider(Clock).useValue(clock);
    return new Api(await create(builder));
  }

  /** Of the only issuer. */
  get provider(): MetadataProvider {
    return this.app.get(MetadataProvider);
  }

  get(path: string, token?: string): request.Test {
    const test = request(this.app.getHttpServer()).get(path);
    return token === undefined ? test : test.set('Authorization', `Bearer ${token}`);
  }

  post(path: string, token: string): request.Test {
    return request(this.app.getHttpServer()).post(path).set('Authorization', `Bearer ${token}`);
  }

  async statusOf(token: string, path = '/orders'): Promise<number> {
    return (await this.get(path, token)).status;
  }

  /** `ok`, or the error code of the answer. */
  async outcomeOf(token: string, path = '/orders'): Promise<string> {
    const { status, body } = await this.get(path, token);
    return status < 300 ? 'ok' : String(body.errorCode);
  }

  /** What the handler sees of an accepted token. */
  async tokenSeen(token: string): Promise<unknown> {
    return (await this.get('/orders/token', token).expect(200)).body;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
  }
}
