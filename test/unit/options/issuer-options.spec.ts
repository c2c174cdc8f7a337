import { describe, expect, it } from 'vitest';
import { AuthConfigurationError } from '../../../lib/errors/configuration.error.js';
import { resolveAuthOptions } from '../../../lib/options/resolve-options.js';

const valid = { issuer: 'https://issuer.test', audience: 'api' };
const [a, b] = ['https://issuer.test/a', 'https://issuer.test/b'];

/** The options that a boot complains about. */
function wrongOptions(options: object): readonly string[] {
  try {
    resolveAuthOptions(options, {});
  } catch (error) {
    if (error instanceof AuthConfigurationError) return error.problems.map(({ option }) => option);
    throw error;
  }
  return [];
}

describe('the options of an issuer', () => {
  it.each([
    ['tenants', { tenants: ['11111111-aaaa-4bbb-8ccc-222222222222'] }],
    ['tenants', { tokenIssuers: ['https://login.test/{tenantid}'], tenants: ['contoso'] }],
    ['issuer', { issuer: 'https://issuer.test/.well-known/openid-configuration' }],
    ['metadataAddress', { metadataAddress: [] }],
    ['metadataAddress', { metadataAddress: [a, 'http://issuer.test/b'] }],
    ['jwksUri', { jwksUri: [a, 'ftp://issuer.test'] }],
    ['acceptIdTokens', { acceptIdTokens: 'yes' }],
    ['acceptIdTokens', { acceptIdTokens: true, audience: null }],
  ])('[E1-7] throws a problem of %s when they are %j', (option, change) => {
    expect(wrongOptions({ ...valid, ...change })).toEqual([option]);
  });

  it('throws when two entries have one template in two spellings', () => {
    const tokenIssuers = (spelling: string) => ({
      tokenIssuers: [`https://login.test/${spelling}/v2.0`],
      tenants: null,
    });
    const issuers = [
      { ...valid, ...tokenIssuers('{tenantid}') },
      { ...valid, name: 'second', ...tokenIssuers('{tenantId}') },
    ];
    expect(wrongOptions({ issuers })).toEqual(['issuers[1].tokenIssuers']);
  });

  it('returns several sources of keys when there are lists of addresses', () => {
    const sources = (options: object) =>
      resolveAuthOptions({ ...valid, ...options }, {}).issuers[0]?.metadata.sources;
    expect(sources({ metadataAddress: [a, b] })).toEqual([
      { jwksUri: undefined, metadataAddresses: [a] },
      { jwksUri: undefined, metadataAddresses: [b] },
    ]);
    expect(sources({ metadataAddress: a, jwksUri: [a, b] })).toEqual([
      { jwksUri: a, metadataAddresses: [] },
      { jwksUri: b, metadataAddresses: [] },
    ]);
    for (const options of [{}, { metadataAddress: a }, { jwksUri: [a, a] }])
      expect(sources(options)).toEqual([]);
  });
});
