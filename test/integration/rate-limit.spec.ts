import { APP_GUARD } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { Authenticator } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { platforms } from '../support/apps/platforms.js';
import { issuerAndApi } from '../support/apps/start-api.js';

const LIMIT = 3;

describe.each(platforms)('a rate limit of the root module, on $platform', ({ create }) => {
  it.each([true, false])(
    'answers 429 before the token is looked at, with secureByDefault %s',
    async (secureByDefault) => {
      const { issuer, api } = await issuerAndApi(
        create,
        { secureByDefault },
        {
          imports: [ThrottlerModule.forRoot([{ ttl: 60_000, limit: LIMIT }])],
          providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
        },
      );
      const token = await issuer.sign();
      const forged = `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(86)}`;
      for (let sent = 0; sent < LIMIT; sent += 1)
        expect(await api.outcomeOf(forged)).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
      expect(await api.statusOf(forged)).toBe(429);
      expect(await api.statusOf(token)).toBe(429);
      expect(api.app.get(Authenticator).cacheStatus()).toMatchObject({ hits: 0, misses: LIMIT });
    },
  );
});
