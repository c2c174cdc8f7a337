import {
  Controller,
  ForbiddenException,
  Get,
  Injectable,
  UseGuards,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_GUARD, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { Authenticator, AuthorizedGuard, type AuthenticatedToken } from 'nestjs-resilient-auth';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { RESOLVED_OPTIONS, type ResolvedAuthOptions } from '../../lib/authentication/resolved-options.js';
import { hasPassed, remember } from '../../lib/authorized/passes.js';
import { platforms } from '../support/platforms.js';
import { bootApp } from '../support/security-app.js';

type Requirements = Parameters<AuthorizedGuard['authorize']>[0];

@Controller('plain')
class PlainController {
  @Get()
  get(): string {
    return 'the secret';
  }
}

/** A query of a database library: runs when it is waited for, and is no `Promise`. */
const refusing = (asked: () => void) => ({
  // oxlint-disable-next-line unicorn/no-thenable -- the queries of many a database library are like this
  then(_resolve: unknown, reject: (reason: unknown) => void): void {
    asked();
    reject(new ForbiddenException('account is blocked'));
  },
});

/** The same behind a proxy that answers reads and nothing else. */
const hidden = (query: object) => new Proxy({}, { get: (_target, name) => Reflect.get(query, name) });

/** SECURITY-CHECKLIST 1L, L2. */
describe.each(platforms)('handleRequest of a subclass, on $platform', ({ create }) => {
  it.each([
    ['a query', (asked: () => void): object => refusing(asked)],
    ['a query behind a proxy', (asked: () => void): object => hidden(refusing(asked))],
  ])('[L2] is waited for when it returns %s, and refuses with it', async (_, query) => {
    let asked = 0;
    @Injectable()
    class BlockingGuard extends AuthorizedGuard {
      // oxlint-disable-next-line typescript/no-explicit-any -- Nest's own type of it knows no query
      override handleRequest(error: unknown, user: unknown, info: unknown): any {
        super.handleRequest(error, user, info);
        return query(() => (asked += 1));
      }
    }
    @UseGuards(BlockingGuard)
    @Controller('blocked')
    class BlockedController extends PlainController {}
    const { issuer, app } = await bootApp({ controllers: [BlockedController] }, {}, create);
    const token = await issuer.sign();
    for (const time of [1, 2, 3]) {
      const answer = await request(app.getHttpServer())
        .get('/blocked')
        .set('Authorization', `Bearer ${token}`);
      expect(answer.status).toBe(403);
      expect(answer.text).not.toContain('the secret');
      expect(asked).toBe(time);
    }
  });
});

describe('one subclass, configured twice', () => {
  class ClaimGuard extends AuthorizedGuard {
    constructor(
      readonly claim: string,
      authenticator: Authenticator,
      options: ResolvedAuthOptions,
      moduleRef: ModuleRef,
      adapterHost: HttpAdapterHost,
    ) {
      super(authenticator, options, moduleRef, adapterHost);
    }

    protected override authorize(
      requirements: Requirements,
      token: AuthenticatedToken,
      context: ExecutionContext,
    ): void | Promise<void> {
      if (!(this.claim in token.claims)) throw new ForbiddenException(`no ${this.claim}`);
      return super.authorize(requirements, token, context);
    }
  }
  const requiring = (claim: string) => ({
    provide: APP_GUARD,
    inject: [Authenticator, RESOLVED_OPTIONS, ModuleRef, HttpAdapterHost],
    useFactory: (...[a, o, m, h]: [Authenticator, ResolvedAuthOptions, ModuleRef, HttpAdapterHost]) =>
      new ClaimGuard(claim, a, o, m, h),
  });

  it.each([
    ['sub', 'mfa'],
    ['mfa', 'sub'],
  ])('[L2] asks for both: %s, then %s', async (...claims) => {
    const { statusOf } = await bootApp({
      controllers: [PlainController],
      providers: claims.map(requiring),
    });
    expect(await statusOf('/plain', { sub: 'alice' })).toBe(403);
    expect(await statusOf('/plain', { sub: 'alice', mfa: true })).toBe(200);
  });
});

describe('the mark of a guard that let a call pass', () => {
  class Call {
    getHandler(): string {
      return 'open';
    }
  }
  const guard = {};
  const marked = (): ExecutionContext => {
    const call: unknown = new Call();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- passes are written on any object
    const context = call as ExecutionContext;
    remember(context, guard);
    return context;
  };

  it('[L2] is for that guard', () => {
    const context = marked();
    expect(hasPassed(context, guard)).toBe(true);
    expect(hasPassed(context, {})).toBe(false);
    const other = {};
    remember(context, other);
    expect([guard, other].map((one) => hasPassed(context, one))).toEqual([true, true]);
  });

  it.each([
    ['a copy', (context: ExecutionContext) => ({ ...context })],
    ['an assigned copy', (context: ExecutionContext) => Object.assign(new Call(), context)],
    [
      'a copy with hidden members',
      (context: ExecutionContext) => Object.create(null, Object.getOwnPropertyDescriptors(context)),
    ],
    ['an heir', (context: ExecutionContext) => Object.create(context, { getHandler: { value: () => 'x' } })],
    ['a proxy', (context: ExecutionContext) => new Proxy(context, {})],
  ])('[L2] is not carried by %s, which may name another handler', (_, copy) => {
    expect(hasPassed(copy(marked()), guard)).toBe(false);
  });

  it('[L2] cannot be seen', () => {
    expect(Reflect.ownKeys(marked())).toEqual([]);
  });
});
