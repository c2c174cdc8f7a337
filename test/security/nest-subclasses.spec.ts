import {
  Controller,
  ForbiddenException,
  Get,
  Injectable,
  Req,
  UseGuards,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { APP_GUARD, ModuleRef } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import {
  Authenticator,
  Authorized,
  AuthContexts,
  AuthorizedGuard,
  CurrentToken,
  type AuthenticatedToken,
} from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { Clock } from '../../lib/time/clock.js';
import { hasAccepted, rememberAccepted } from '../../lib/authorized/guard-memo.js';
import { issuerAndApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';

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

/** docs/security-checklist.md L, L2. */
describe.each(platforms)('handleRequest of a subclass, on $platform', ({ create }) => {
  it.each([
    ['a query', (asked: () => void): object => refusing(asked)],
    ['a query behind a proxy', (asked: () => void): object => hidden(refusing(asked))],
  ])('[L2] answers 403 when it returns %s that rejects', async (_, query) => {
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
    const { issuer, api } = await issuerAndApi(create, {}, { controllers: [BlockedController] });
    const token = await issuer.sign();
    for (const time of [1, 2, 3]) {
      const answer = await api.get('/blocked', token);
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
      contexts: AuthContexts,
      moduleRef: ModuleRef,
      clock: Clock,
    ) {
      super(authenticator, contexts, moduleRef, clock);
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
    inject: [Authenticator, AuthContexts, ModuleRef, Clock],
    useFactory: (...given: [Authenticator, AuthContexts, ModuleRef, Clock]) =>
      new ClaimGuard(claim, ...given),
  });

  it.each([
    ['sub', 'mfa'],
    ['mfa', 'sub'],
  ])('[L2] requires both claims: %s, then %s', async (...claims) => {
    const own = { controllers: [PlainController], providers: claims.map(requiring) };
    const { get } = await issuerAndApi(platforms[0].create, {}, own);
    expect((await get('/plain', { sub: 'alice' })).status).toBe(403);
    expect((await get('/plain', { sub: 'alice', mfa: true })).status).toBe(200);
  });
});

describe('hasAccepted', () => {
  const handler = (): string => 'one';
  const args = [{}, {}];
  class Host extends ExecutionContextHost {
    constructor(values = args, controller: Type = PlainController, called: () => string = handler) {
      super(values, controller, called);
    }
  }
  const guard = {};
  const marked = (): ExecutionContext => {
    const context = new Host();
    rememberAccepted(context, guard);
    return context;
  };

  it('[L2] returns true for the guard that has accepted the call, and for no other', () => {
    const context = marked();
    const other = {};
    expect([guard, other].map((one) => hasAccepted(context, one))).toEqual([true, false]);
    rememberAccepted(context, other);
    expect([guard, other].map((one) => hasAccepted(context, one))).toEqual([true, true]);
  });

  const another: readonly (readonly [string, Host])[] = [
    ['handler', new Host(args, PlainController, () => 'two')],
    ['class', new Host(args, class Other {})],
    ['call', new Host([{}, {}])],
  ];
  it.each(another)('[L2] returns false for another %s, even in a copy of the context', (_, other) => {
    const own = Object.getOwnPropertyDescriptors(other);
    for (const copy of [
      Object.assign({}, marked(), other, {
        getClass: () => other.getClass(),
        getHandler: () => other.getHandler(),
        getArgs: () => other.getArgs(),
      }),
      Object.create(marked(), own),
      new Proxy(marked(), { get: (target, key) => Reflect.get(key in other ? other : target, key) }),
    ])
      expect(hasAccepted(copy, guard)).toBe(false);
  });
});

/** `handleRequest(e, u) { return u || null }`: what Nest's documentation has for routes that know a user or do not. */
describe.each(platforms)('a subclass that accepts requests without a token, on $platform', ({ create }) => {
  @Injectable()
  class OptionalGuard extends AuthorizedGuard {
    // oxlint-disable-next-line typescript/no-explicit-any -- Nest's own type of it knows no null
    override handleRequest(_error: unknown, user: unknown): any {
      return user || null;
    }
  }
  @Injectable()
  class DemandingGuard extends OptionalGuard {
    protected override authorize(): void {
      throw new ForbiddenException('no user');
    }
  }
  @Injectable()
  class LaxGuard extends OptionalGuard {
    protected override authenticate(): void {}
  }
  class Seen {
    @Get()
    get(@Req() req: Record<string, unknown>, @CurrentToken() token: unknown): object {
      return { user: req['user'], authInfo: req['authInfo'] ?? null, token: token ?? null };
    }
  }
  @UseGuards(OptionalGuard)
  @Controller('optional')
  class OptionalController extends Seen {
    @Authorized()
    @Get('closed')
    closed(): string {
      return 'the secret';
    }
  }
  @UseGuards(DemandingGuard)
  @Controller('demanding')
  class DemandingController extends Seen {}
  @UseGuards(LaxGuard)
  @Controller('lax')
  class LaxController extends Seen {}

  const controllers = [OptionalController, DemandingController, LaxController];
  const boot = () => issuerAndApi(create, {}, { controllers });

  it('[L2] sets no user and no token when the token is missing or bad', async () => {
    const { get, api } = await boot();
    const anonymous = { user: null, authInfo: null, token: null };
    expect(await get('/optional')).toMatchObject({ status: 200, body: anonymous });
    expect(await api.get('/optional', 'bad')).toMatchObject({ status: 200, body: anonymous });
    expect((await get('/optional', { sub: 'alice' })).body).toMatchObject({
      user: { sub: 'alice' },
      token: { claims: { sub: 'alice' } },
    });
  });

  it('[L2] answers 401 or 403 when a requirement is not met', async () => {
    const { get } = await boot();
    for (const path of ['/optional/closed', '/demanding']) {
      const { status, body, headers } = await get(path);
      expect({ status, code: body.errorCode }).toEqual({ status: 401, code: 'AUTH_TOKEN_MISSING' });
      expect(headers['www-authenticate']).toBe('Bearer');
    }
    expect((await get('/demanding', {})).status).toBe(403);
  });

  it('[L2] answers 503 when a token could not be checked', async () => {
    const { issuer, get } = await boot();
    issuer.fail({ mode: 'refuse' });
    await issuer.rotateKeys({ keepOld: false });
    const { status, body } = await get('/optional', { sub: 'alice' });
    expect({ status, code: body.errorCode }).toEqual({ status: 503, code: 'AUTH_METADATA_UNAVAILABLE' });
  });

  it.each([
    ['nothing', undefined, 500],
    ['a text', 'boom', 500],
    ['an exception', new ForbiddenException(), 403],
  ])('[L2] answers 403 or 500 when validate throws %s', async (_, thrown, expected) => {
    const validate = () => {
      throw thrown;
    };
    const { get } = await issuerAndApi(create, { validate }, { controllers });
    expect((await get('/optional', {})).status).toBe(expected);
  });

  it('[L2] answers an error when it does not authenticate', async () => {
    const { get } = await boot();
    const answerOf = async (claims?: object) => {
      const { status, body } = await get('/lax', claims);
      return [status, body.errorCode];
    };
    expect(await answerOf()).toEqual([401, 'AUTH_TOKEN_MISSING']);
    expect(await answerOf({ sub: 'alice' })).toEqual([500, 'AUTH_CONFIGURATION_INVALID']);
  });
});
