import { Injectable } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { AllowAnonymous, Authorized, AuthModule } from 'nestjs-resilient-auth';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startIssuer } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';

const [{ create }] = platforms;

@Authorized()
@Injectable()
class Gateway {
  calls = 0;

  handle(): string {
    this.calls += 1;
    return 'handled';
  }

  @AllowAnonymous()
  open(): string {
    this.calls += 1;
    return 'handled';
  }
}

/** docs/security-checklist.md L, L2: through Nest's own machinery, as GraphQL, WebSocket and microservice modules use it. */
describe('a context that is not HTTP', () => {
  async function boot() {
    const issuer = await startIssuer();
    const app = await create(
      Test.createTestingModule({ imports: [AuthModule.forRoot(issuer.options())], providers: [Gateway] }),
    );
    onTestFinished(() => app.close());
    const gateway = app.get(Gateway);
    const token = await issuer.sign();
    // The sender of a message controls its payload: it may look like a request, even like one that is authenticated.
    const lure = { headers: { authorization: `Bearer ${token}` }, user: { sub: 'root' }, authInfo: {} };
    const call = (type: string, method: 'handle' | 'open' = 'handle', payload: unknown = lure) =>
      app
        .get(ExternalContextCreator, { strict: false })
        .create(
          gateway,
          gateway[method],
          method,
          undefined,
          undefined,
          undefined,
          undefined,
          undefined,
          type,
        )(payload, {}, {}, {});
    return { gateway, call, lure };
  }

  it.each(['rpc', 'ws', 'graphql', 'cron'])(
    '[L2] rejects a call with a good token in the type %j',
    async (type) => {
      const { gateway, call } = await boot();
      await expect(call(type)).rejects.toThrow(/not switched on/);
      expect(gateway.calls).toBe(0);
    },
  );

  it('[L2] rejects a call of the type http whose first argument is no request of the platform', async () => {
    const { gateway, call, lure } = await boot();
    for (const payload of [lure, { raw: lure }, [lure], undefined, null, 'message', 7])
      await expect(call('http', 'handle', payload)).rejects.toThrow(/without an HTTP request/);
    expect(gateway.calls).toBe(0);
  });

  it('[L2] calls an open handler', async () => {
    const { gateway, call } = await boot();
    for (const type of ['http', 'rpc', 'cron']) await expect(call(type, 'open')).resolves.toBe('handled');
    expect(gateway.calls).toBe(3);
  });

  it('[L2] rejects a call without a request', async () => {
    const { gateway, call } = await boot();
    for (const payload of [undefined, null, 'message', 7, {}, { headers: null }])
      await expect(call('ws', 'handle', payload)).rejects.toThrow(/not switched on/);
    expect(gateway.calls).toBe(0);
  });
});
