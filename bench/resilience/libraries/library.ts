import { Controller, Get, Module, type INestApplication, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';

/** Where the provider is, as an operator would configure it. */
export interface Trust {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly audience: string;
}

/** A service that one library protects. */
export interface Service {
  readonly app: INestApplication;
  /** Refreshes started so far, where the library reports them. */
  readonly refreshes?: () => number;
}

/** What each file beside this one exports: the library set up as its own README does it. */
export type StartService = (trust: Trust) => Promise<Service>;

@Controller()
class GreetingController {
  @Get()
  greet(): { greeting: string } {
    return { greeting: 'hello' };
  }
}

@Module({ controllers: [GreetingController] })
export class GreetingModule {}

/** Nest on Express for every library, so that differences are the library's. */
export function createApp(module: Type = GreetingModule): Promise<NestExpressApplication> {
  return NestFactory.create<NestExpressApplication>(module, { logger: false });
}
