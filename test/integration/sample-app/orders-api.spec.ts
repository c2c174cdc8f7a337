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

  it('lists and shows orders to a token with the scope', async () => {
    const token = await getToken(provider.issuer, ordersCli);

    const { body } = await get('/orders', token).expect(200);
    expect(body).toContainEqual({ id: 1, item: 'coffee beans', quantity: 2, placedBy: 'orders-cli' });
    expect(await get('/orders/1', token)).toMatchObject({ status: 200, body: body[0] });
    expect(await get('/orders/99', token)).toMatchObject({ status: 404 });
  });

  it('places an order in the name of the token', async () => {
    const token = await getToken(provider.issuer, ordersAdmin);

    const { body } = await place(token, { item: 'milk', quantity: 2 }).expect(201);
    expect(body).toMatchObject({ item: 'milk', quantity: 2, placedBy: 'orders-admin' });
  });

  it('refuses an order that is none', async () => {
    expect(
      await place(await getToken(provider.issuer, ordersCli), { item: '', quantity: 'many' }),
    ).toMatchObject({ status: 400 });
  });

  it('wants a token: 401', async () => {
    const { headers } = await request(app.getHttpServer()).get('/orders').expect(401);

    expect(headers['www-authenticate']).toMatch(/^Bearer/);
  });

  it('wants the scope: 403', async () => {
    const token = await getToken(provider.issuer, ordersCli, ['orders:read']);

    const { headers } = await place(token, { item: 'milk', quantity: 2 }).expect(403);
    expect(headers['www-authenticate']).toContain('scope="orders:write"');
  });

  it('opens the admin route to the role only', async () => {
    expect(await get('/admin/stats', await getToken(provider.issuer, ordersCli))).toMatchObject({
      status: 403,
    });
    expect(await get('/admin/stats', await getToken(provider.issuer, ordersAdmin))).toMatchObject({
      status: 200,
    });
  });

  it('tells everyone how its metadata is', async () => {
    const { body } = await request(app.getHttpServer()).get('/health').expect(200);

    expect(body).toMatchObject({ state: 'fresh', keyIds: [expect.any(String)] });
    expect(body).not.toHaveProperty('lastFailure');
  });

  it('takes the first token of a new key, and the old ones while their key is published', async () => {
    const old = await getToken(provider.issuer, ordersCli);
    await provider.rotateKeys();

    expect(await get('/orders', await getToken(provider.issuer, ordersCli))).toMatchObject({ status: 200 });
    expect(await get('/orders', old)).toMatchObject({ status: 200 });
  });

  it('takes the first token of a new key without overlap, and drops the withdrawn key with it', async () => {
    const old = await getToken(provider.issuer, ordersCli);
    await provider.rotateKeys({ keepOld: false });

    expect(await get('/orders', await getToken(provider.issuer, ordersCli))).toMatchObject({ status: 200 });
    expect(await get('/orders', old)).toMatchObject({ status: 401 });
  });

  it.each(['down', 'html', 'hang'] as const)(
    'serves known keys while the provider is ill: %s',
    async (fault) => {
      const token = await getToken(provider.issuer, ordersCli);
      expect(await get('/orders', token)).toMatchObject({ status: 200 });
      provider.fail(fault);

      expect(await get('/orders', token)).toMatchObject({ status: 200 });
      provider.fail('none');
    },
  );
});
