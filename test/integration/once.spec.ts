import { Controller, Get, Module } from '@nestjs/common';
import { Authorized, AuthModule, MetadataProvider } from 'nestjs-resilient-auth';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startIssuer } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';

describe.each(platforms)('several guards on one route, on $platform', ({ create }) => {
  it('calls validate and the policy once per request', async () => {
    const calls: string[] = [];
    const policy = () => calls.push('policy') > 0;

    class Base {}
    Authorized()(Base);
    @Authorized({ policy })
    @Controller('once')
    class OnceController extends Base {
      @Authorized({ scopes: ['a'] })
      @Get()
      get(): string {
        return 'ok';
      }
    }
    @Module({ controllers: [OnceController] })
    class OnceModule {}

    const issuer = await startIssuer();
    const options = issuer.options({ validate: (claims) => calls.push('validate') && claims });
    const module = AuthModule.forRoot({ ...options, secureByDefault: true });
    const app = await create(Test.createTestingModule({ imports: [module, OnceModule] }));
    onTestFinished(() => app.close());

    const get = async (claims: object) =>
      request(app.getHttpServer())
        .get('/once')
        .set('Authorization', `Bearer ${await issuer.sign({ ...claims })}`);
    expect((await get({ scope: 'a' })).status).toBe(200);
    expect(calls).toEqual(['validate', 'policy']);
    expect((await get({ scope: 'b' })).status).toBe(403);
    expect(app.get(MetadataProvider).status().budget.available).toBe(5);
  });
});
