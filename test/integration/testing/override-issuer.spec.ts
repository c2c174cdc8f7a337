import { Controller, Get, Module } from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { AuthModule, Authorized, CurrentToken, type AuthenticatedToken } from 'nestjs-resilient-auth';
import { overrideIssuer, TestIssuer } from 'nestjs-resilient-auth/testing';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';

@Controller()
class MeController {
  @Authorized({ issuers: ['staff'], roles: ['editor'] })
  @Get('staff')
  staff(@CurrentToken() token: AuthenticatedToken): string {
    return `${token.issuer} ${String(token.claims['sub'])}`;
  }

  @Authorized({ issuers: ['https://customers.example.com'] })
  @Get('customers')
  customers(@CurrentToken() token: AuthenticatedToken): unknown {
    return { user: token.user };
  }
}

/** As an application writes it: nothing in it knows of tests. */
const staff = {
  name: 'staff',
  issuer: 'https://login.example.com/{tenantid}/v2.0',
  tenants: ['c0ffee00-0000-4000-8000-000000000000'],
  metadataAddress: 'https://login.example.com/organizations/.well-known/openid-configuration',
  audience: 'https://api.example.com',
  roles: 'realm_access.roles',
} as const;
const customers = {
  issuer: 'https://customers.example.com',
  audience: 'customers',
  validate: (claims: { readonly sub?: unknown }) => ({ id: claims.sub }),
} as const;

@Module({
  imports: [AuthModule.forRootAsync({ useFactory: () => staff, secureByDefault: true })],
  controllers: [MeController],
})
class StaffModule {}

@Module({ imports: [AuthModule.forRoot({ issuers: [staff, customers] })], controllers: [MeController] })
class AppModule {}

describe('overrideIssuer', () => {
  async function start(builder: TestingModuleBuilder) {
    const app = (await builder.compile()).createNestApplication();
    await app.init();
    onTestFinished(() => app.close());
    const get = (path: string, token: string) =>
      request(app.getHttpServer()).get(path).set('Authorization', `Bearer ${token}`);
    return get;
  }

  async function startIssuer(): Promise<TestIssuer> {
    const issuer = await TestIssuer.start({ audience: 'test' });
    onTestFinished(() => issuer.close());
    return issuer;
  }

  it('points the only issuer of an application at a TestIssuer, and keeps its name, roles and guard', async () => {
    const issuer = await startIssuer();
    const get = await start(overrideIssuer(Test.createTestingModule({ imports: [StaffModule] }), issuer));
    const editor = await issuer.sign({ sub: 'alice', realm_access: { roles: ['editor'] } });
    await get('/staff', editor).expect(200, 'staff alice');
    await get('/staff', await issuer.sign({ roles: ['editor'] })).expect(403);
    await get('/customers', editor).expect(403);
  });

  it('points each of several issuers at one of its own, by name or identifier', async () => {
    const [first, second] = [await startIssuer(), await startIssuer()];
    const builder = Test.createTestingModule({ imports: [AppModule] });
    overrideIssuer(builder, first, 'staff');
    const get = await start(overrideIssuer(builder, second, customers.issuer));
    const token = await first.sign({ sub: 'alice', realm_access: { roles: ['editor'] } });
    await get('/staff', token).expect(200, 'staff alice');
    await get('/customers', token).expect(403);
    await get('/customers', await second.sign({ sub: 'bob' })).expect(200, { user: { id: 'bob' } });
  });

  it.each([
    [undefined, 'needs the name of an issuer, since there are several: staff, https://customers.example.com'],
    ['stuff', 'names an issuer that the application does not have; it has: staff, https://customers'],
  ])('throws at boot when the name is %s', async (name, message) => {
    const builder = Test.createTestingModule({ imports: [AppModule] });
    const compiling = overrideIssuer(builder, await startIssuer(), name).compile();
    await expect(compiling).rejects.toThrow(message);
  });
});
