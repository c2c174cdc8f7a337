import { Controller, Get, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import {
  AllowAnonymous,
  Authorized,
  AuthorizedGuard,
  CurrentToken,
  CurrentUser,
} from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { platforms } from '../support/apps/platforms.js';
import { issuerAndApi } from '../support/apps/start-api.js';

/** docs/security-checklist.md L, L5 and L6. */
describe.each(platforms)('request.user, on $platform', ({ create }) => {
  @Controller('user')
  class UserController {
    @Authorized()
    @Get()
    get(@CurrentUser() user: object, @CurrentToken() token: object): object {
      const attempts = [
        Reflect.set(user, 'roles', ['admin']),
        Reflect.set(Reflect.get(user, 'nested'), 'x', 2),
        Reflect.defineProperty(user, 'added', { value: 1 }),
        Reflect.setPrototypeOf(user, { isAdmin: true }),
        Reflect.set(token, 'scopes', ['admin']),
        Reflect.set(Reflect.get(token, 'scopes'), 0, 'admin'),
        Reflect.set(Reflect.get(token, 'header'), 'alg', 'none'),
      ];
      return { attempts: attempts.filter(Boolean).length, user };
    }

    @AllowAnonymous()
    @Get('open')
    open(@CurrentUser() user: unknown, @CurrentToken() token: unknown): object {
      return { user: user ?? null, token: token ?? null };
    }

    @Authorized()
    @Get('members')
    members(@CurrentUser('constructor') a: unknown, @CurrentUser('__proto__') b: unknown): object {
      return { a: a ?? null, b: b ?? null };
    }
  }

  it('[L6] freezes user and token with all their members', async () => {
    const { get } = await issuerAndApi(create, {}, { controllers: [UserController] });
    const { body } = await get('/user', { nested: { x: 1 } });
    expect(body).toMatchObject({ attempts: 0, user: { nested: { x: 1 } } });
    expect(body.user).not.toHaveProperty('roles');
  });

  it('[L5] keeps user and token absent on an open route, with any token', async () => {
    const { get, api } = await issuerAndApi(
      create,
      { secureByDefault: true },
      { controllers: [UserController] },
    );
    expect((await get('/user/open', { sub: 'alice' })).body).toEqual({ user: null, token: null });
    await api.get('/user/open', 'bad').expect(200, { user: null, token: null });
  });

  it('[L6] returns own members only', async () => {
    const { get } = await issuerAndApi(create, {}, { controllers: [UserController] });
    expect((await get('/user/members', {})).body).toEqual({ a: null, b: null });
  });

  it('[L6] stays the property of the user when PassportModule names another', async () => {
    const imports = [PassportModule.register({ property: 'account', session: true })];
    const { get } = await issuerAndApi(create, {}, { imports, controllers: [UserController] });
    expect((await get('/user', { sub: 'alice', nested: {} })).body).toMatchObject({ user: { sub: 'alice' } });
  });

  it('[L6] rejects a request without a token when an earlier guard has set a user', async () => {
    class Impostor implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        Object.assign(context.switchToHttp().getRequest(), { user: { sub: 'root' }, authInfo: {} });
        return true;
      }
    }
    @UseGuards(Impostor, AuthorizedGuard)
    @Controller('impostor')
    class ImpostorController {
      @Get()
      get(@CurrentUser('sub') subject: string): string {
        return subject;
      }
    }
    const { get } = await issuerAndApi(create, {}, { controllers: [ImpostorController] });
    expect((await get('/impostor', { sub: 'alice' })).text).toBe('alice');
    expect((await get('/impostor')).status).toBe(401);
  });
});
