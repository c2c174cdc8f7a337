import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { createApp } from '../../../sample-app/create-app.js';
import { callWithProof } from '../../../sample-app/payments/call-with-proof.js';
import { ordersCli } from '../../../sample-app/provider/clients.js';
import { startProvider, type EmbeddedProvider } from '../../../sample-app/provider/embedded-provider.js';
import { getToken } from '../../../sample-app/provider/get-token.js';
import { embeddedAudience } from '../../../sample-app/provider/provider-configuration.js';
import { trust } from '../../../sample-app/settings.js';

describe('the payments of the sample', () => {
  let provider: EmbeddedProvider;
  let app: NestExpressApplication;
  let api: string;
  beforeAll(async () => {
    provider = await startProvider({ port: 0 });
    app = await createApp(trust(provider.issuer, embeddedAudience), { logger: false });
    await app.listen(0, '127.0.0.1');
    api = await app.getUrl();
  });
  afterAll(async () => {
    await app.close();
    await provider.close();
  });

  it('answers a token with its proof', async () => {
    expect(await callWithProof(api, provider.issuer)).toMatch(/^200 .*"provenBy":"orders-cli"/);
  });

  it('rejects a bearer token with the challenge DPoP alone', async () => {
    const authorization = `Bearer ${await getToken(provider.issuer, ordersCli)}`;
    const response = await fetch(`${api}/payments`, { headers: { authorization } });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^DPoP algs="[^"]+"(?!.*Bearer)/);
    const orders = await fetch(`${api}/orders`, { headers: { authorization } });
    expect(orders.status).toBe(200);
  });
});
