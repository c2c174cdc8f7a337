import { describe, expect, it, onTestFinished } from 'vitest';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { Api } from '../support/api.js';
import { platforms } from '../support/platforms.js';

describe.each(platforms)('on $platform', ({ create }) => {
  async function start() {
    const issuer = await TestIssuer.start({ audience: 'api' });
    onTestFinished(() => issuer.close());
    const api = await Api.start(create, { ...issuer.options(), realm: 'orders' });
    onTestFinished(() => api[Symbol.asyncDispose]());
    return { issuer, api };
  }

  it('lets a valid token in and hands its user to the handler', async () => {
    const { issuer, api } = await start();
    const response = await api.get('/orders', await issuer.sign({ sub: 'alice' })).expect(200);
    expect(response.body).toEqual({ subject: 'alice' });
  });
});
