import { Controller, Get } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Authenticator,
  AuthModule,
  Authorized,
  CurrentToken,
  type AuthenticatedToken,
} from 'nestjs-resilient-auth';
import { authenticatedAs } from 'nestjs-resilient-auth/testing';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';

@Controller()
class RightsController {
  @Authorized({ roles: ['editor'] })
  @Get()
  rights(@CurrentToken() { issuer, scopes, roles }: AuthenticatedToken): object {
    return { issuer, scopes, roles };
  }
}

const staff = {
  name: 'staff',
  issuer: 'https://staff.example.com',
  audience: 'api',
  scopes: 'permissions',
  roles: 'realm_access.roles',
} as const;
const partners = {
  name: 'partners',
  issuer: 'https://partners.example.com',
  audience: 'api',
  roles: (_: object, user: unknown) => (user === alice ? ['editor'] : []),
} as const;
const alice = { sub: 'alice', permissions: ['read', 'write'], realm_access: { roles: ['editor'] } };

describe('authenticatedAs', () => {
  async function rightsOf(user: object, token = {}) {
    const imports = [AuthModule.forRoot({ issuers: [staff, partners] })];
    const app = (
      await Test.createTestingModule({ imports, controllers: [RightsController] })
        .overrideProvider(Authenticator)
        .useValue(authenticatedAs(user, token))
        .compile()
    ).createNestApplication();
    await app.init();
    onTestFinished(() => app.close());
    const { body } = await request(app.getHttpServer()).get('/');
    return body;
  }

  it('returns scopes and roles as the options of the first issuer read them', async () => {
    expect(await rightsOf(alice)).toMatchObject({ scopes: ['read', 'write'], roles: ['editor'] });
    expect(await rightsOf({ sub: 'bob', roles: ['editor'] })).toMatchObject({ statusCode: 403 });
  });

  it('returns scopes and roles as the options of the named issuer read them', async () => {
    expect(await rightsOf(alice, { issuer: 'partners' })).toEqual({
      issuer: 'partners',
      scopes: [],
      roles: ['editor'],
    });
    expect(await rightsOf({ ...alice }, { issuer: 'partners' })).toMatchObject({ statusCode: 403 });
  });

  it('returns the scopes and roles of the token argument in place of both', async () => {
    const rights = await rightsOf({}, { issuer: 'staff', scopes: ['all'], roles: ['editor'] });
    expect(rights).toEqual({ issuer: 'staff', scopes: ['all'], roles: ['editor'] });
  });
});
