import { Test } from '@nestjs/testing';
import { AuthConfigurationError, AuthModule, type IssuerOptions } from 'nestjs-resilient-auth';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import {
  DISCOVERY,
  EXAMPLE,
  exampleKeySet,
  exampleOptions,
  exampleToken,
} from '../support/issuers/example.js';
import { Site } from '../support/issuers/site.js';

const [{ create }] = platforms;
const trusting = (site: Site, options: Partial<IssuerOptions> = {}) =>
  startApi(create, exampleOptions(site, options));

/** docs/security-checklist.md J, J1 to J5, with G7. */
describe('an address in the configuration', () => {
  it.each<[option: string, value: Partial<IssuerOptions>]>([
    ['issuer', { issuer: 'http://issuer.example' }],
    ['issuer', { issuer: 'issuer.example' }],
    ['issuer', { issuer: 'file:///issuer' }],
    ['issuer', { issuer: 'https://u:p@issuer.example' }],
    ['issuer', { issuer: 'https://issuer.example?tenant=1' }],
    ['issuer', { issuer: 'https://issuer.example#x' }],
    ['issuer', { issuer: 'https://issuer.example ' }],
    ['jwksUri', { jwksUri: 'http://issuer.example/keys' }],
    ['jwksUri', { jwksUri: 'data:application/json,{"keys":[]}' }],
    ['jwksUri', { jwksUri: 'file:///keys.json' }],
    ['jwksUri', { jwksUri: '/keys' }],
    ['metadataAddress', { metadataAddress: 'http://issuer.example/x' }],
    ['metadataAddress', { metadataAddress: 'ftp://issuer.example/x' }],
  ])(
    '[J1] [J4] rejects the boot and makes no call when it cannot be trusted: %s %j',
    async (option, value) => {
      const site = new Site({});
      const error: unknown = await trusting(site, value).then(
        () => 'started',
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(AuthConfigurationError);
      expect(String(error)).toContain(`- ${option}:`);
      expect(site.asked).toEqual([]);
    },
  );

  it('[J4] [G7] accepts a query in metadataAddress', async () => {
    const metadataAddress = `${EXAMPLE}${DISCOVERY}?appid=x`;
    const site = new Site({
      [metadataAddress]: { issuer: EXAMPLE, jwks_uri: `${EXAMPLE}/keys?appid=x` },
      [`${EXAMPLE}/keys?appid=x`]: exampleKeySet,
    });
    expect(await (await trusting(site, { metadataAddress })).statusOf(exampleToken())).toBe(200);
    expect(site.asked).toEqual([metadataAddress, `${EXAMPLE}/keys?appid=x`]);
  });

  it.each([
    [
      'https://issuer.example',
      [`https://issuer.example${DISCOVERY}`, 'https://issuer.example/.well-known/oauth-authorization-server'],
    ],
    [
      'https://issuer.example/',
      [`https://issuer.example${DISCOVERY}`, 'https://issuer.example/.well-known/oauth-authorization-server'],
    ],
    [
      'https://issuer.example/a/b',
      [
        `https://issuer.example/a/b${DISCOVERY}`,
        'https://issuer.example/.well-known/oauth-authorization-server/a/b',
      ],
    ],
    [
      'https://issuer.example/a/',
      [
        `https://issuer.example/a${DISCOVERY}`,
        'https://issuer.example/.well-known/oauth-authorization-server/a',
      ],
    ],
  ])('[J3] reads the discovery document where the specifications put it: %s', async (issuer, addresses) => {
    for (const present of addresses) {
      const site = new Site({
        [present]: { issuer, jwks_uri: `${EXAMPLE}/keys` },
        [`${EXAMPLE}/keys`]: exampleKeySet,
      });
      const api = await trusting(site, { issuer });
      expect(await api.statusOf(exampleToken({ iss: issuer }))).toBe(200);
      expect(site.asked).toEqual([...addresses.slice(0, addresses.indexOf(present) + 1), `${EXAMPLE}/keys`]);
    }
  });

  it('[J1] logs a warning when it is plain http, requireHttps is false and the host is another machine', async () => {
    const warningsOf = async (options: Partial<IssuerOptions> & { issuer: string }) => {
      const warnings: string[] = [];
      const ignore = () => undefined;
      const logger = { log: ignore, error: ignore, warn: (message: string) => void warnings.push(message) };
      const metadata = { requireHttps: false, startup: 'lazy' } as const;
      const module = AuthModule.forRoot({ audience: 'api', ...options, metadata });
      await (
        await Test.createTestingModule({ imports: [module] })
          .setLogger(logger)
          .compile()
      ).close();
      return warnings;
    };
    for (const host of ['localhost', 'LOCALHOST:8080', '127.0.0.1', '127.1', '[::1]:8080', 'shop.localhost'])
      expect(await warningsOf({ issuer: `http://${host}` })).toEqual([]);
    for (const host of ['issuer.internal', '127.0.0.1.internal', '10.0.0.1', 'localhost.internal', '[::2]']) {
      const issuer = `http://${host}`;
      expect(await warningsOf({ issuer })).toEqual([expect.stringContaining('requireHttps')]);
      expect(await warningsOf({ issuer: 'http://localhost', jwksUri: `${issuer}/keys` })).toHaveLength(1);
    }
  });
});

describe('a redirect', () => {
  it.each(['discovery', 'jwks'] as const)(
    '[J5] answers 503 when the %s endpoint redirects, and does not follow',
    async (endpoint) => {
      await using issuer = await TestIssuer.start({ alg: 'ES256' });
      issuer.fail({ endpoint, mode: 'redirect' });
      const api = await startApi(create, issuer.options({ metadata: { startup: 'lazy' } }));
      await api.get('/orders', await issuer.sign()).expect(503);
      expect(issuer.requests.map((request) => request.endpoint)).not.toContain('canary');
      expect(api.provider.status().lastFailure?.fault).toBe('redirect');
      issuer.recover();
      await expect(fetch(`${issuer.url}/canary/jwks`).then(({ status }) => status)).resolves.toBe(200);
    },
  );

  it.each([301, 302, 303, 307, 308])(
    '[J5] answers 503 when a fetch of the application returns a redirect: %i',
    async (status) => {
      const redirect = () =>
        new Response(null, { status, headers: { location: 'https://evil.example/keys' } });
      const site = new Site({ [`${EXAMPLE}/keys`]: redirect, 'https://evil.example/keys': exampleKeySet });
      expect(await (await trusting(site, { jwksUri: `${EXAMPLE}/keys` })).statusOf(exampleToken())).toBe(503);
      expect(site.asked).not.toContain('https://evil.example/keys');
    },
  );
});
