import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import request from 'supertest';
import type { App } from 'supertest/types';
import { AppModule } from '../src/app.module';

describe('orders', () => {
  let issuer: TestIssuer;
  let app: INestApplication<App>;

  beforeAll(async () => {
    issuer = await TestIssuer.start({ audience: 'orders' });
    const testing = await Test.createTestingModule({
      imports: [AppModule.register(issuer.options())],
    }).compile();
    app = testing.createNestApplication();
    await app.init();
  });

  afterAll(async () => {
    await app.close();
    await issuer.close();
  });

  it('answers 401 when there is no token', async () => {
    await request(app.getHttpServer()).get('/orders').expect(401);
  });

  it('serves a valid token', async () => {
    const token = await issuer.sign({ sub: 'alice', scope: 'orders:read' });
    const answer = await request(app.getHttpServer())
      .get('/orders')
      .auth(token, { type: 'bearer' })
      .expect(200);
    expect(answer.body).toMatchObject({ subject: 'alice' });
  });

  it('serves a token of the next key', async () => {
    await issuer.rotateKeys({ keepOld: false });
    const token = await issuer.sign({ sub: 'alice', scope: 'orders:read' });
    await request(app.getHttpServer()).get('/orders').auth(token, { type: 'bearer' }).expect(200);
  });
});
