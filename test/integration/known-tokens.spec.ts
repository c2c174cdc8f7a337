import { Controller, Get, Injectable, Req, UseGuards, type ExecutionContext } from '@nestjs/common';
import { Authenticator, AuthorizedGuard, type Claims } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { issuerAndApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';

const [{ create }] = platforms;
/** How many values a part of a token holds, itself included. */
const valuesOf = (part: unknown): number =>
  typeof part === 'object' && part !== null
    ? Object.values(part).reduce((sum: number, member) => sum + valuesOf(member), 1)
    : 1;
const settled = async (value: string): Promise<string> => value;

describe('the verified-token cache', () => {
  it('returns its size, hits and misses', async () => {
    const { issuer, api } = await issuerAndApi(create);
    const authenticator = api.app.get(Authenticator);
    expect(authenticator.cacheStatus()).toEqual({ size: 0, bytes: 0, hits: 0, misses: 0 });
    const token = await issuer.sign();
    for (let count = 0; count < 2; count += 1) await authenticator.authenticate(token);
    const { header, claims } = await authenticator.authenticate(token);
    const bytes = 512 + token.length + 64 * (valuesOf(header) + valuesOf(claims));
    expect(authenticator.cacheStatus()).toEqual({ size: 1, bytes, hits: 2, misses: 1 });
    await expect(authenticator.authenticate(`${token}A`)).rejects.toMatchObject({
      code: 'AUTH_TOKEN_SIGNATURE_INVALID',
    });
    expect(authenticator.cacheStatus()).toEqual({ size: 1, bytes, hits: 2, misses: 2 });
  });

  it('counts a token whose key is withdrawn as a miss', async () => {
    const { issuer, api } = await issuerAndApi(create);
    const authenticator = api.app.get(Authenticator);
    const token = await issuer.sign();
    await authenticator.authenticate(token);
    await issuer.rotateKeys({ keepOld: false });
    await authenticator.authenticate(await issuer.sign());
    await expect(authenticator.authenticate(token)).rejects.toMatchObject({
      code: 'AUTH_TOKEN_SIGNATURE_INVALID',
    });
    expect(authenticator.cacheStatus()).toMatchObject({ hits: 0, misses: 3 });
  });

  it('forgets the least recently used token, by count', async () => {
    const { issuer, api } = await issuerAndApi(create, { tokenCache: { max: 2 } });
    const authenticator = api.app.get(Authenticator);
    const [a, b, c] = [await issuer.sign(), await issuer.sign(), await issuer.sign()];
    for (const token of [a, b, a, c, a]) await authenticator.authenticate(token);
    expect(authenticator.cacheStatus()).toMatchObject({ size: 2, hits: 2, misses: 3 });
    await authenticator.authenticate(b);
    expect(authenticator.cacheStatus()).toMatchObject({ size: 2, hits: 2, misses: 4 });
  });

  it('forgets the least recently used tokens, by bytes', async () => {
    const { issuer, api } = await issuerAndApi(create, { tokenCache: { maxBytes: 65_536 } });
    const authenticator = api.app.get(Authenticator);
    const tokens = await Promise.all(
      Array.from({ length: 10 }, () => issuer.sign({ filler: 'x'.repeat(7000) })),
    );
    for (const token of tokens) await authenticator.authenticate(token);
    const [token = ''] = tokens;
    const { header, claims } = await authenticator.authenticate(tokens.at(-1) ?? '');
    const values = valuesOf(header) + valuesOf(claims);
    const size = Math.floor(65_536 / (512 + token.length + 64 * values));
    expect(size).toBeLessThan(10);
    expect(authenticator.cacheStatus()).toMatchObject({ size, hits: 1, misses: 10 });
    expect(authenticator.cacheStatus()?.bytes).toBeLessThanOrEqual(65_536);
  });

  it('counts what a token holds, not its length alone: an object takes more than its three characters', async () => {
    const { issuer, api } = await issuerAndApi(create);
    const authenticator = api.app.get(Authenticator);
    const before = await issuer.sign({ filler: 'x'.repeat(3000) });
    const full = await issuer.sign({ filler: Array.from({ length: 1000 }, () => ({})) });
    expect(Math.abs(full.length - before.length)).toBeLessThan(10);
    await authenticator.authenticate(before);
    const { bytes = 0 } = authenticator.cacheStatus() ?? {};
    await authenticator.authenticate(full);
    expect(authenticator.cacheStatus()?.bytes).toBeGreaterThan(2 * bytes + 63_000);
  });

  it('skips a token that alone takes more than the limit of all', async () => {
    const { issuer, api } = await issuerAndApi(create, { tokenCache: { maxBytes: 65_536 } });
    const authenticator = api.app.get(Authenticator);
    const small = await issuer.sign();
    const large = await issuer.sign({ filler: Array.from({ length: 1100 }, () => ({})) });
    for (const token of [small, large, large, small]) await authenticator.authenticate(token);
    expect(authenticator.cacheStatus()).toMatchObject({ size: 1, hits: 1, misses: 3 });
  });

  it('returns zeros when it is switched off', async () => {
    const { api } = await issuerAndApi(create, { tokenCache: false });
    expect(api.app.get(Authenticator).cacheStatus()).toBeUndefined();
  });
});

describe('a forged token', () => {
  it('rejects it when header and payload are those of a token accepted before', async () => {
    const { issuer, api } = await issuerAndApi(create);
    const authenticator = api.app.get(Authenticator);
    const [a, b] = [await issuer.sign({ sub: 'a' }), await issuer.sign({ sub: 'b' })];
    for (const token of [a, b]) await authenticator.authenticate(token);
    const [header = '', payload = ''] = b.split('.');
    const forged = [header, payload, a.split('.')[2]].join('.');
    await expect(authenticator.authenticate(forged)).rejects.toMatchObject({
      code: 'AUTH_TOKEN_SIGNATURE_INVALID',
    });
  });
});

describe('validate', () => {
  it('waits for the result when validate returns a thenable that is no Promise', async () => {
    let row: object | undefined = { sub: 'alice' };
    // oxlint-disable-next-line unicorn/no-thenable -- the queries of many a database library are like this
    const query = { then: (resolve: (value: unknown) => void) => resolve(row) };
    const { issuer, api } = await issuerAndApi(create, { validate: () => query });
    const token = await issuer.sign();
    await api.get('/orders', token).expect(200, { subject: 'alice' });
    row = undefined;
    expect((await api.get('/orders', token).expect(401)).body.errorCode).toBe('AUTH_TOKEN_REJECTED');
  });
});

describe('scopes and roles', () => {
  it.each([
    ['looked up elsewhere', {}],
    ['looked up elsewhere, with validate', { validate: (claims: object) => claims }],
  ])('reads them on every request when they are %s', async (_, options) => {
    const table = new Map<unknown, readonly string[]>([['alice', ['one']]]);
    const lookUp = ({ sub }: { sub?: string }) => table.get(sub) ?? [];
    for (const name of ['scopes', 'roles'] as const) {
      const { issuer, api } = await issuerAndApi(create, { ...options, [name]: lookUp });
      const authenticator = api.app.get(Authenticator);
      const token = await issuer.sign({ sub: 'alice' });
      table.set('alice', ['one']);
      expect(await authenticator.authenticate(token)).toMatchObject({ [name]: ['one'] });
      table.delete('alice');
      expect(await authenticator.authenticate(token)).toMatchObject({ [name]: [] });
      expect(authenticator.cacheStatus()).toMatchObject({ hits: 1 });
    }
  });

  it('reads them once when they follow from the claims', async () => {
    const { issuer, api } = await issuerAndApi(create);
    const authenticator = api.app.get(Authenticator);
    const token = await issuer.sign({ scope: 'a b', roles: ['c'] });
    const first = await authenticator.authenticate(token);
    expect(first).toMatchObject({ scopes: ['a', 'b'], roles: ['c'] });
    expect(await authenticator.authenticate(token)).toBe(first);
  });
});

describe.each(platforms)('a request with a known token, on $platform', ({ create: createHere }) => {
  async function boot(guard: typeof AuthorizedGuard = AuthorizedGuard) {
    @UseGuards(guard)
    @Controller('seen')
    class SeenController {
      @Get()
      get(@Req() req: Record<string, unknown>): object {
        const { authInfo, user, account } = req;
        return { authInfo, user: user ?? null, account: account ?? null };
      }
    }
    const options = { validate: ({ sub }: Claims) => sub };
    const { issuer, api } = await issuerAndApi(createHere, options, { controllers: [SeenController] });
    const token = await issuer.sign({ sub: 'alice' });
    return async () => (await api.get('/seen', token)).body;
  }

  it('calls the handler with the same user and authInfo as the first one', async () => {
    const get = await boot();
    const first = await get();
    expect(first).toMatchObject({ authInfo: { claims: { sub: 'alice' } }, user: 'alice', account: null });
    expect(await get()).toEqual(first);
  });

  it('calls handleRequest of a subclass, which may be async', async () => {
    @Injectable()
    class RenamingGuard extends AuthorizedGuard {
      // oxlint-disable-next-line typescript/no-explicit-any -- Nest's own type of it is not async
      override handleRequest(error: unknown, user: unknown, info: unknown, context?: ExecutionContext): any {
        const name = String(super.handleRequest(error, user, info));
        return settled(`${name} at ${context?.getHandler().name}`);
      }
    }
    const get = await boot(RenamingGuard);
    const first = await get();
    expect(first).toMatchObject({ user: 'alice at get' });
    expect(await get()).toEqual(first);
  });

  it('calls passport when a subclass has options of its own', async () => {
    @Injectable()
    class AccountGuard extends AuthorizedGuard {
      // oxlint-disable-next-line typescript/no-explicit-any -- another property than ours
      override getAuthenticateOptions(): any {
        return { ...super.getAuthenticateOptions(), property: 'account' };
      }
    }
    const get = await boot(AccountGuard);
    expect(await get()).toMatchObject({ account: 'alice' });
    expect(await get()).toMatchObject({ account: 'alice' });
  });
});
