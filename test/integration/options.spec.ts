import { Test } from '@nestjs/testing';
import { AuthConfigurationError, AuthModule } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { resolveAuthOptions } from '../../lib/options/resolve-options.js';

const valid = { issuer: 'https://issuer.test', audience: 'api' };

/** What boot says about options, as a user without a compiler would write them. */
async function bootError(options: object): Promise<AuthConfigurationError> {
  const compile = Test.createTestingModule({
    imports: [AuthModule.forRootAsync({ useFactory: () => Object.assign(Object.create(null), options) })],
  }).compile();
  const error: unknown = await compile.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AuthConfigurationError) return error;
  throw new Error(`expected an AuthConfigurationError, got ${String(error)}`);
}

describe('options are checked at boot', () => {
  it('tells every problem at once, with option, value and what is allowed', async () => {
    const error = await bootError({
      issuer: 'https://issuer.test',
      tokenMaxLength: -1,
      algorithms: ['HS256'],
      clockTolerance: '10m',
      metadata: { timeout: '60', refreshBurst: 0 },
      isuer: 'typo',
    });
    expect(error.code).toBe('AUTH_CONFIGURATION_INVALID');
    expect(error.problems.map(({ option }) => option).toSorted()).toEqual([
      'algorithms[0]',
      'audience',
      'clockTolerance',
      'isuer',
      'metadata.refreshBurst',
      'metadata.timeout',
      'tokenMaxLength',
    ]);
    expect(error.message).toContain(
      "metadata.timeout: got '60'; allowed: milliseconds or a string with its unit, from 100ms to 30s",
    );
    expect(error.message).toContain(
      "clockTolerance: got '10m'; allowed: a string with its unit, from 0s to 5m",
    );
  });

  it.each([
    ['issuer', { issuer: 'http://issuer.test' }],
    ['issuer', { issuer: 'not a url' }],
    ['issuer', { issuer: 'https://issuer.test/?a=b' }],
    ['issuer', { issuer: undefined }],
    ['audience', { audience: '' }],
    ['audience', { audience: [] }],
    ['audience', { audience: undefined }],
    ['jwksUri', { jwksUri: 'ftp://issuer.test/keys' }],
    ['metadataAddress', { metadataAddress: 'file:///etc/passwd' }],
    ['algorithms', { algorithms: [] }],
    ['algorithms[1]', { algorithms: ['RS256', 'none'] }],
    ['tokenTypes', { tokenTypes: [] }],
    ['clockTolerance', { clockTolerance: 30 }],
    ['clockTolerance', { clockTolerance: '60' }],
    ['clockTolerance', { clockTolerance: '-1s' }],
    ['maxTokenAge', { maxTokenAge: Number.POSITIVE_INFINITY }],
    ['validate', { validate: true }],
    ['realm', { realm: 'a"b' }],
    ['tokenCache', { tokenCache: true }],
    ['tokenCache', { tokenCache: { max: 0 } }],
    ['jwtFromRequest', { jwtFromRequest: 'header' }],
    ['tenants', { tenants: ['a'] }],
    ['metadata.automaticRefreshInterval', { metadata: { automaticRefreshInterval: '25h' } }],
    ['metadata.refreshInterval', { metadata: { refreshInterval: 999 } }],
    ['metadata.refreshBurst', { metadata: { refreshBurst: 101 } }],
    ['metadata.refreshWait', { metadata: { refreshWait: '61s' } }],
    ['metadata.maxWaiting', { metadata: { maxWaiting: 0 } }],
    ['metadata.timeout', { metadata: { timeout: Number.NaN } }],
    ['metadata.lastKnownGoodLifetime', { metadata: { lastKnownGoodLifetime: -1 } }],
    ['metadata.startup', { metadata: { startup: 'later' } }],
    ['metadata.requireHttps', { metadata: { requireHttps: 'no' } }],
    ['metadata.maxResponseSize', { metadata: { maxResponseSize: 1 } }],
    ['metadata.fetch', { metadata: { fetch: {} } }],
    ['metadata.store', { metadata: { store: {} } }],
    ['metadata.polling', { metadata: { polling: true } }],
    ['isGlobal', { isGlobal: true }],
    ['secureByDefault', { secureByDefault: true }],
  ])('refuses a bad %s: %j', async (option, change) => {
    const { problems } = await bootError({ ...valid, ...change });
    expect(problems.map((problem) => problem.option)).toContain(option);
  });

  it('says where an extra belongs that a factory returned', async () => {
    const { message } = await bootError({ ...valid, secureByDefault: true });
    expect(message).toMatch(/secureByDefault.*beside useFactory, useClass or useExisting/);
  });

  it('refuses an unknown name beside the factory', async () => {
    const options = { useFactory: () => valid, secureByDefalt: true };
    await expect(
      Test.createTestingModule({ imports: [AuthModule.forRootAsync(options)] }).compile(),
    ).rejects.toThrow(/secureByDefalt/);
  });

  it('names the entry of several issuers that is wrong', async () => {
    const { problems } = await bootError({
      issuers: [valid, { ...valid, name: 'second', metadata: { timeout: 1 } }],
    });
    expect(problems.map(({ option }) => option)).toEqual(['issuers[1].metadata.timeout']);
  });

  it('refuses the same iss or the same name in two entries', async () => {
    const { problems } = await bootError({ issuers: [valid, valid] });
    expect(problems.map(({ option }) => option)).toEqual(['issuers[1].name', 'issuers[1].tokenIssuers']);
  });

  it('asks for an address and for tenants when the issuer is a template', async () => {
    const { problems } = await bootError({ ...valid, issuer: 'https://login.test/{tenantid}/v2.0' });
    expect(problems.map(({ option }) => option)).toEqual(['metadataAddress', 'tenants']);
  });

  it('takes an explicit undefined for the default', () => {
    const spelled = resolveAuthOptions(
      {
        ...valid,
        tokenMaxLength: undefined,
        algorithms: undefined,
        metadata: { timeout: undefined, store: undefined },
      },
      { isGlobal: undefined },
    );
    const silent = resolveAuthOptions(valid, {});
    const comparable = ({ issuers: [issuer] }: typeof silent) => ({
      ...issuer,
      metadata: { ...issuer?.metadata, fetch: 0 },
    });
    expect(JSON.stringify(comparable(spelled))).toBe(JSON.stringify(comparable(silent)));
  });

  it('fills in the defaults that the documentation promises', () => {
    const { issuers, ...module } = resolveAuthOptions(valid, {});
    expect(module).toMatchObject({
      tokenMaxLength: 16_384,
      tokenCache: { max: 10_000, maxBytes: 33_554_432 },
      realm: undefined,
    });
    expect(issuers[0]).toMatchObject({
      name: 'https://issuer.test',
      tokenIssuers: ['https://issuer.test'],
      clockTolerance: 30,
      maxTokenAge: undefined,
      metadata: {
        metadataAddresses: [
          'https://issuer.test/.well-known/openid-configuration',
          'https://issuer.test/.well-known/oauth-authorization-server',
        ],
        automaticRefreshInterval: 600_000,
        refreshInterval: 5000,
        refreshBurst: 5,
        refreshWait: 10_000,
        maxWaiting: 10_000,
        timeout: 5000,
        lastKnownGoodLifetime: 86_400_000,
        startup: 'wait',
        requireHttps: true,
        maxResponseSize: 524_288,
      },
    });
  });

  it('refuses a cache too small for anything', async () => {
    const { problems } = await bootError({ ...valid, tokenCache: { maxBytes: 1000 } });
    expect(problems).toMatchObject([{ option: expect.stringMatching(/^tokenCache/) }]);
  });

  it('builds the well-known addresses as the specifications say', () => {
    const addresses = (issuer: string) =>
      resolveAuthOptions({ ...valid, issuer }, {}).issuers[0]?.metadata.metadataAddresses;
    expect(addresses('https://host.test/realms/a/')).toEqual([
      'https://host.test/realms/a/.well-known/openid-configuration',
      'https://host.test/.well-known/oauth-authorization-server/realms/a',
    ]);
  });
});
