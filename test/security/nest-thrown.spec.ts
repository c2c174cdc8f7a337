import { Controller, Get, UseGuards } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { Authorized } from 'nestjs-resilient-auth';
import passport, { Strategy } from 'passport';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { issuerAndApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';

const thrown: readonly (readonly [string, () => unknown])[] = [
  ['an object without a prototype', () => Object.create(null)],
  ['a text', () => 'boom'],
  ['nothing', () => undefined],
  ['null', () => null],
  ['a symbol', () => Symbol('boom')],
  ['an object whose text cannot be had', () => ({ toString: () => ({}) })],
  [
    'a proxy that answers nothing',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
  ],
];

class ThrowingStrategy extends Strategy {
  override authenticate(): void {
    throw new Error('not this one');
  }
}

/** docs/security-checklist.md: no input, and no mistake in the application's own functions, ends the process. */
describe.each(platforms)('a thrown value that is no Error, on $platform', ({ create }) => {
  const unhandled: unknown[] = [];
  beforeEach(() => {
    unhandled.length = 0;
    const listener = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', listener);
    onTestFinished(() => void process.off('unhandledRejection', listener));
  });

  async function boot(validate: (claims: object) => unknown) {
    @Authorized()
    @Controller('ours')
    class OurController {
      @Get()
      get(): string {
        return 'the secret';
      }
    }
    @UseGuards(AuthGuard('resilient-jwt'))
    @Controller('theirs')
    class TheirController extends OurController {}
    @UseGuards(AuthGuard(['resilient-jwt', 'test-throwing']))
    @Controller('either')
    class EitherController {
      @Get()
      get(): string {
        return 'the secret';
      }
    }
    passport.use('test-throwing', new ThrowingStrategy());
    const controllers = [OurController, TheirController, EitherController];
    const { issuer, api } = await issuerAndApi(create, { validate }, { controllers });
    const token = await issuer.sign();
    return async (path: string, bearer = token) => api.get(path, bearer).timeout(2000);
  }

  it.each(thrown)('answers 500 when validate throws %s', async (_, make) => {
    for (const validate of [
      () => {
        throw make();
      },
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- that is the point
      () => Promise.reject(make()),
    ]) {
      const get = await boot(validate);
      for (const path of ['/ours', '/ours', '/theirs']) {
        const { status, text } = await get(path);
        expect(status).toBe(500);
        expect(text).not.toContain('boom');
      }
    }
    expect(unhandled).toEqual([]);
  });

  it('answers 500 when the strategy that is tried next throws it', async () => {
    const get = await boot((claims) => claims);
    expect((await get('/either', 'bad')).status).toBe(500);
    expect((await get('/either')).status).toBe(200);
    expect(unhandled).toEqual([]);
  });
});
