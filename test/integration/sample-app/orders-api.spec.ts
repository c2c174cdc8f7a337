import type { NestExpressApplication } from '@nestjs/platform-express';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../../sample-app/create-app.js';
import { ordersAdmin, ordersCli } from '../../../sample-app/provider/clients.js';
import { startProvider } from '../../../sample-app/provider/embedded-provider.js';
import type { EmbeddedProvider } from '../../../sample-app/provider/embedded-provider.js';
import { getToken } from '../../../sample-app/provider/get-token.js';
import { embeddedAudience } from '../../../sample-app/provider/provider-configuration.js';
import { trust } from '../../../sample-app/settings.js';

describe('the orders API with the embedded provider', () => {
  let provider: EmbeddedProvider;
  let app: NestExpressApplication;

  beforeAll(async () => {
    provider = await startProvider({ port: 0 });
    app = await createApp(trust(provider.issuer, embeddedAudience), { logger: false });
    await app.listen(0, '127.0.0.1');
  });
  afterAll(async () => {
    await app.close();
    await provider.close();
  });

  const get = (path: string, token: string) =>
    request(app.getHttpServer()).get(path).set('Authorization', `Bearer ${token}`);
  const place = (token: string, order: object) =>
    request(app.getHttpServer()).post('/orders').set('Authorization', `Bearer ${token}`).send(order);

  it('returns orders when the token has the scope', async () => {
    const token = await getToken(provider.issuer, ordersCli);

    const { body } = await get('/orders', token).expect(200);
    expect(body).toContainEqual({ id: 1, item: 'coffee beans', quantity: 2, placedBy: 'orders-cli' });
    expect(await get('/orders/1', token)).toMatchObject({ status: 200, body: body[0] });
    expect(await get('/orders/99', token)).toMatchObject({ status: 404 });
  });

  it('returns the new order with the subject of the token when it has the scope', async () => {
    const token = await getToken(provider.issuer, ordersAdmin);

    const { body } = await place(token, { item: 'milk', quantity: 2 }).expect(201);
    expect(body).toMatchObject({ item: 'milk', quantity: 2, placedBy: 'orders-admin' });
  });

  it('answers 400 when the body is not an order', async () => {
    expect(
      await place(await getToken(provider.issuer, ordersCli), { item: '', quantity: 'many' }),
    ).toMatchObject({ status: 400 });
  });

  it('answers metrics of its authentications, and a document of what its routes require, without a token', async () => {
    await get('/orders', await getToken(provider.issuer, ordersCli)).expect(200);

    const metrics = await request(app.getHttpServer()).get('/metrics').expect(200);
    expect(metrics.text).toMatch(/^resilient_auth_authentications_total\{.*outcome="accepted".*\} \d+$/m);
    expect(metrics.text).toMatch(/^resilient_auth_metadata_state\{.*\} 0$/m);
    const { body } = await request(app.getHttpServer()).get('/api-json').expect(200);
    expect(body.paths['/orders'].post.security).toEqual([
      { openid: ['orders:write'] },
      { accessToken: [] },
      { dpop: [] },
    ]);
    expect(body.paths['/payments'].get.security).toEqual([{ dpop: [] }]);
    expect(body.paths['/health'].get.security).toEqual([]);
    expect(body.components.securitySchemes.openid.openIdConnectUrl).toContain(provider.issuer);
    await request(app.getHttpServer()).get('/api').expect(200);
  });

  it('answers 401 when there is no token', async () => {
    const { headers } = await request(app.getHttpServer()).get('/orders').expect(401);

    expect(headers['www-authenticate']).toMatch(/^Bearer/);
  });

  it('answers 403 when the scope is missing', async () => {
    const token = await getToken(provider.issuer, ordersCli, ['orders:read']);

    const { headers } = await place(token, { item: 'milk', quantity: 2 }).expect(403);
    expect(headers['www-authenticate']).toContain('scope="orders:write"');
  });

  it('answers 403 on the admin route when the role is missing', async () => {
    expect(await get('/admin/stats', await getToken(provider.issuer, ordersCli))).toMatchObject({
      status: 403,
    });
    expect(await get('/admin/stats', await getToken(provider.issuer, ordersAdmin))).toMatchObject({
      status: 200,
    });
  });

  it('answers with the state of its metadata to a request without a token', async () => {
    const { body } = await request(app.getHttpServer()).get('/health').expect(200);

    expect(body).toMatchObject({ state: 'fresh', keyIds: [expect.any(String)] });
    expect(body).not.toHaveProperty('lastFailure');
  });

  it('answers a readiness probe without a token', async () => {
    const { body } = await request(app.getHttpServer()).get('/health/ready').expect(200);

    expect(body).toMatchObject({ status: 'ok', info: { auth: { status: 'up' } } });
  });

  it('accepts the first token of a new key, and the old ones, when their key stays published', async () => {
    const old = await getToken(provider.issuer, ordersCli);
    await provider.rotateKeys();

    expect(await get('/orders', await getToken(provider.issuer, ordersCli))).toMatchObject({ status: 200 });
    expect(await get('/orders', old)).toMatchObject({ status: 200 });
  });

  it('rejects tokens of the withdrawn key when the first token of the new key has been accepted', async () => {
    const old = await getToken(provider.issuer, ordersCli);
    await provider.rotateKeys({ keepOld: false });

    expect(await get('/orders', await getToken(provider.issuer, ordersCli))).toMatchObject({ status: 200 });
    expect(await get('/orders', old)).toMatchObject({ status: 401 });
  });

  it.each(['down', 'html', 'hang', 'slow'] as const)(
    'accepts tokens of known keys when the provider fails: %s',
    async (fault) => {
      const token = await getToken(provider.issuer, ordersCli);
      expect(await get('/orders', token)).toMatchObject({ status: 200 });
      provider.fail(fault);

      expect(await get('/orders', token)).toMatchObject({ status: 200 });
      provider.fail('none');
    },
  );
});
