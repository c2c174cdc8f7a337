import type { Authenticator } from 'nestjs-resilient-auth';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpCredentials } from '../../lib/authentication/http-credentials.js';
import { outcomeOf, scene } from '../support/apps/scene.js';

/** docs/security-checklist.md: no mistake in the application's own functions ends the process. */
const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
let others: NodeJS.UnhandledRejectionListener[] = [];

beforeEach(() => {
  unhandled.length = 0;
  others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', note);
});
afterEach(() => {
  process.removeAllListeners('unhandledRejection');
  for (const listener of others) process.on('unhandledRejection', listener);
});

/** What TypeScript would refuse, and JavaScript does not. */
const untypedScene = (options: unknown): ReturnType<typeof scene> => scene(Object(options));
const fails = (): Promise<never> => Promise.reject(new Error('no connection'));

/** As passport's strategy does. */
const authenticate = async (authenticator: Authenticator, request: object): Promise<unknown> =>
  authenticator.answerTo(request, new HttpCredentials(request));

describe('a function of the options', () => {
  it('rejects with AUTH_CONFIGURATION_INVALID when it returns a promise where a value is expected', async () => {
    const { authenticator } = await untypedScene({ module: { jwtFromRequest: fails } });
    const request = { headers: {} };
    expect(await outcomeOf(authenticate(authenticator, request))).toBe('AUTH_CONFIGURATION_INVALID');
    for (const name of ['scopes', 'roles'] as const) {
      const stage = await untypedScene({ issuer: { [name]: fails } });
      expect(await stage.show('a')).toBe('AUTH_CONFIGURATION_INVALID');
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });

  it.each([['orders:read'], [undefined], [7], [{}]])(
    'answers AUTH_CONFIGURATION_INVALID when scopes or roles returns %j in place of a list',
    async (result) => {
      for (const name of ['scopes', 'roles'] as const) {
        const stage = await untypedScene({ issuer: { [name]: () => result } });
        expect(await stage.show('a')).toBe('AUTH_CONFIGURATION_INVALID');
      }
    },
  );

  it('rejects a query that it returns, and does not run it', async () => {
    let runs = 0;
    // oxlint-disable-next-line unicorn/no-thenable -- as the queries of many a database library are
    const query = { then: (): number => runs++ };
    const { authenticator } = await untypedScene({ module: { jwtFromRequest: () => query } });
    const refused = await outcomeOf(authenticate(authenticator, { headers: {} }));
    expect([refused, runs]).toEqual(['AUTH_CONFIGURATION_INVALID', 0]);
  });

  it('rejects a call of validate that authenticates its own request', async () => {
    const refusals: Promise<unknown>[] = [];
    let asked = 0;
    const stage = await scene({
      issuer: {
        validate: (claims, { request }) => {
          asked++;
          refusals.push(outcomeOf(authenticate(stage.authenticator, Object(request))));
          return claims;
        },
      },
    });
    const token = await stage.issuer.sign('a');
    // New, then known.
    for (let i = 0; i < 2; i++) {
      const request = { headers: { authorization: `Bearer ${token}` } };
      expect(await outcomeOf(authenticate(stage.authenticator, request))).toBe('accepted');
    }
    expect(asked).toBe(2);
    expect(await Promise.all(refusals)).toEqual(['AUTH_CONFIGURATION_INVALID', 'AUTH_CONFIGURATION_INVALID']);
  });

  it('ends a circle of two requests that authenticate each other', async () => {
    const circle: object[] = [];
    let asked = 0;
    const stage = await scene({
      issuer: {
        validate: (claims, { request }) => {
          asked++;
          const next = circle[(circle.indexOf(Object(request)) + 1) % circle.length];
          authenticate(stage.authenticator, next ?? {}).catch(() => undefined);
          return claims;
        },
      },
    });
    const authorization = `Bearer ${await stage.issuer.sign('a')}`;
    circle.push({ headers: { authorization } }, { headers: { authorization } });
    expect(await outcomeOf(authenticate(stage.authenticator, circle[0] ?? {}))).toBe('accepted');
    expect(asked).toBe(2);
    expect(unhandled).toEqual([]);
  });
});
