import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { NestExpressApplication } from '@nestjs/platform-express';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../../sample-app/create-app.js';
import { ordersCli, ordersTeller } from '../../../sample-app/provider/clients.js';
import { startProvider, type EmbeddedProvider } from '../../../sample-app/provider/embedded-provider.js';
import { getToken } from '../../../sample-app/provider/get-token.js';
import { embeddedAudience } from '../../../sample-app/provider/provider-configuration.js';
import { trust } from '../../../sample-app/settings.js';

describe('the protocol of the orders API', () => {
  let provider: EmbeddedProvider;
  let app: NestExpressApplication;
  let url: string;

  beforeAll(async () => {
    provider = await startProvider({ port: 0 });
    app = await createApp(trust(provider.issuer, embeddedAudience), { logger: false });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterAll(async () => {
    await app.close();
    await provider.close();
  });

  it('answers where clients get a token, and names that place in a challenge', async () => {
    const { body } = await request(url).get('/.well-known/oauth-protected-resource').expect(200);
    expect(body).toMatchObject({
      resource: `${url}/`,
      authorization_servers: [provider.issuer],
      scopes_supported: ['orders:read', 'orders:write'],
      resource_name: 'Orders',
    });
    const { headers } = await request(url).get('/orders').expect(401);
    expect(headers['www-authenticate']).toContain(
      `Bearer scope="orders:read", resource_metadata="${url}/.well-known/oauth-protected-resource"`,
    );
  });

  it('answers a refund when the login is strong and recent, and a challenge otherwise', async () => {
    const refund = async (client: typeof ordersCli, order = 1) =>
      request(url)
        .post('/refunds')
        .set('Authorization', `Bearer ${await getToken(provider.issuer, client)}`)
        .send({ order });
    expect((await refund(ordersTeller)).body).toEqual({ refunded: 1, by: 'orders-teller' });
    expect((await refund(ordersTeller, 99_999)).status).toBe(404);
    const { status, headers } = await refund(ordersCli);
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toMatch(
      /error="insufficient_user_authentication", .*acr_values="phr", max_age="300", scope="orders:write"/,
    );
  });

  it('answers a tool call of an MCP client', async () => {
    const token = await getToken(provider.issuer, ordersCli);
    const client = new Client({ name: 'test', version: '1.0.0' });
    const headers = { Authorization: `Bearer ${token}` };
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } }),
    );
    const { content } = await client.callTool({ name: 'list_orders', arguments: {} });
    expect(JSON.stringify(content)).toMatch(/orders-cli.*coffee beans/);
    await client.close();
  });
});
