import { Controller, Get, Injectable, UseGuards, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { Authorized, AuthorizedGuard, CurrentUser } from 'nestjs-resilient-auth';
import passport, { Strategy } from 'passport';
import { describe, expect, it, onTestFinished } from 'vitest';
import { issuerAndApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';

const [{ create }] = platforms;

class KeyStrategy extends Strategy {
  override authenticate(
    this: Strategy & { success(user: object): void; fail(info: unknown): void },
    http: { headers: Record<string, unknown> },
  ): void {
    if (http.headers['x-api-key'] === 'k') this.success({ sub: 'machine' });
    else this.fail('no key');
  }
}

@UseGuards(AuthGuard(['resilient-jwt', 'test-key']))
@Controller('either')
class EitherController {
  @Get()
  get(@CurrentUser('sub') subject: string): string {
    return subject;
  }
}

@UseGuards(AuthGuard(['test-key', 'resilient-jwt']), AuthorizedGuard)
@Controller('both')
class BothController {
  @Authorized({ scopes: ['a'] })
  @Get()
  get(@CurrentUser('sub') subject: string): string {
    return subject;
  }
}

/** docs/security-checklist.md L, L8. */
describe.each(platforms)('passport’s one registry, on $platform', ({ create: createHere }) => {
  async function boot(controllers = [EitherController, BothController]) {
    passport.use('test-key', new KeyStrategy());
    onTestFinished(() => void passport.unuse('test-key'));
    const { issuer, api } = await issuerAndApi(createHere, {}, { controllers });
    const { app } = api;
    const get = (path: string, headers: Record<string, string>) => api.get(path).set(headers);
    return { issuer, app, get, bearer: (token: string) => ({ Authorization: `Bearer ${token}` }) };
  }

  it('[L8] accepts either credential at a guard of the application, and answers 401 for neither', async () => {
    const { issuer, get, bearer } = await boot();
    await get('/either', bearer(await issuer.sign({ sub: 'alice' }))).expect(200, 'alice');
    await get('/either', { 'x-api-key': 'k' }).expect(200, 'machine');
    await get('/either', { ...bearer('bad'), 'x-api-key': 'k' }).expect(200, 'machine');
    await get('/either', {}).expect(401);
    await get('/either', bearer('bad')).expect(401);
    const expired = bearer(await issuer.sign({}, { expiresIn: '-1h' }));
    await get('/either', { ...expired, 'x-api-key': 'x' }).expect(401);
  });

  it('[L8] [I4] answers 503 at such a guard in an outage', async () => {
    const { issuer, get, bearer } = await boot();
    issuer.fail({ mode: 'refuse' });
    await issuer.rotateKeys({ keepOld: false });
    const { body } = await get('/either', bearer(await issuer.sign())).expect(503);
    expect(body.errorCode).toBe('AUTH_METADATA_UNAVAILABLE');
  });

  it('[L8] answers 401 when another strategy has a user and a token is required', async () => {
    const { issuer, get, bearer } = await boot();
    await get('/both', { 'x-api-key': 'k' }).expect(401);
    const token = await issuer.sign({ sub: 'alice', scope: 'a' });
    await get('/both', { 'x-api-key': 'k', ...bearer(token) }).expect(200, 'alice');
    await get('/both', { 'x-api-key': 'k', ...bearer(await issuer.sign()) }).expect(403);
  });

  it('[L8] answers 401 for a token of another application, and 200 in its own', async () => {
    const [one, two] = [await boot([BothController]), await boot([BothController])];
    for (const [own, other] of [
      [one, two],
      [two, one],
    ] as const) {
      const token = await own.issuer.sign({ sub: 'alice', scope: 'a' });
      await own.get('/both', { 'x-api-key': 'k', ...own.bearer(token) }).expect(200, 'alice');
      const { body } = await other.get('/both', { 'x-api-key': 'k', ...own.bearer(token) }).expect(401);
      expect(body.errorCode).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
      expect(other.issuer.requests.map(({ endpoint }) => endpoint)).toEqual(['discovery', 'jwks']);
    }
  });

  it('[L8] answers 500 when a guard of the application meets two applications', async () => {
    const [one] = [await boot(), await boot()];
    const { body } = await one.get('/either', one.bearer(await one.issuer.sign())).expect(500);
    expect(body.errorCode).toBe('AUTH_CONFIGURATION_INVALID');
  });
});

describe('a guard that extends AuthorizedGuard', () => {
  it('[L2] keeps the checks of scope and audience when a subclass overrides authenticate', async () => {
    @Injectable()
    class LoggingGuard extends AuthorizedGuard {
      readonly seen: string[] = [];

      protected override async authenticate(context: ExecutionContext): Promise<void> {
        this.seen.push(context.getType());
        await super.authenticate(context);
      }
    }
    @UseGuards(LoggingGuard)
    @Controller('logged')
    class LoggedController {
      @Authorized({ scopes: ['a'] })
      @Get()
      get(): string {
        return 'ok';
      }
    }
    const { get: getAs } = await issuerAndApi(create, {}, { controllers: [LoggedController] });
    const get = (claims: object) => getAs('/logged', claims);
    expect((await get({ scope: 'a' })).status).toBe(200);
    expect((await get({})).status).toBe(403);
    expect((await get({ scope: 'a', aud: 'other' })).status).toBe(401);
  });
});
