import { AuthConfigurationError } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { resolveAuthOptions } from '../../../lib/options/resolve-options.js';

const valid = { issuer: 'https://issuer.test', audience: 'api' };
const TEMPLATE = 'https://login.test/{tenantid}/v2.0';

/** The options that are reported as wrong. */
function wrong(options: object, extras: object = {}): readonly string[] {
  try {
    resolveAuthOptions(options, extras);
    return [];
  } catch (error) {
    if (error instanceof AuthConfigurationError) return error.problems.map(({ option }) => option);
    throw error;
  }
}

const addressesOf = (issuer: string) =>
  resolveAuthOptions({ ...valid, issuer }, {}).issuers[0]?.metadata.metadataAddresses;

describe('addresses', () => {
  it.each([
    ['jwksUri', 'ftp://issuer.test/keys'],
    ['jwksUri', 'http://issuer.test/keys'],
    ['metadataAddress', 'file:///etc/passwd'],
    ['metadataAddress', ''],
  ])('throws when %s is %s', (option, address) => {
    expect(wrong({ ...valid, [option]: address })).toEqual([option]);
  });

  it('accepts plain http when requireHttps is false', () => {
    const options = { ...valid, issuer: 'http://issuer.test', metadata: { requireHttps: false } };
    expect(wrong(options)).toEqual([]);
    expect(wrong({ ...options, metadata: {} })).toEqual(['issuer']);
  });

  it('returns the well-known addresses of both specifications when none is configured', () => {
    for (const slash of ['', '/']) {
      expect(addressesOf(`https://issuer.test${slash}`)).toEqual([
        'https://issuer.test/.well-known/openid-configuration',
        'https://issuer.test/.well-known/oauth-authorization-server',
      ]);
      expect(addressesOf(`https://issuer.test/realms/a${slash}`)).toEqual([
        'https://issuer.test/realms/a/.well-known/openid-configuration',
        'https://issuer.test/.well-known/oauth-authorization-server/realms/a',
      ]);
    }
  });
});

const CONTOSO = '11111111-aaaa-4bbb-8ccc-222222222222';
const FABRIKAM = '33333333-aaaa-4bbb-8ccc-444444444444';

describe('a template of tenants', () => {
  const template = { ...valid, issuer: TEMPLATE, metadataAddress: 'https://login.test/common/v2.0' };

  it('throws when address or tenants are missing', () => {
    expect(wrong({ ...valid, issuer: TEMPLATE })).toEqual(['metadataAddress', 'tenants']);
    expect(wrong(template)).toEqual(['tenants']);
    expect(wrong({ ...template, tenants: null })).toEqual([]);
    expect(wrong({ ...valid, tokenIssuers: [TEMPLATE] })).toEqual(['tenants']);
  });

  it('throws when tenants are given without a template', () => {
    expect(wrong({ ...valid, tenants: null })).toEqual(['tenants']);
  });

  it.each([
    ['a list', [CONTOSO], [true, false]],
    ['null', null, [true, true]],
    ['a function', (id: string) => id === CONTOSO, [true, false]],
    ['a function that returns a promise', () => Promise.resolve(true), [false, false]],
  ])('returns whether a tenant is accepted when tenants is %s', (_, tenants, expected) => {
    const [issuer] = resolveAuthOptions({ ...template, tenants }, {}).issuers;
    expect([CONTOSO, FABRIKAM].map((id) => issuer?.admitsTenant(id))).toEqual(expected);
  });
});

describe('several issuers', () => {
  it('throws and names the entry when one of them is wrong', () => {
    const second = { ...valid, name: 'second', metadata: { timeout: 1 } };
    expect(wrong({ issuers: [valid, second] })).toEqual(['issuers[1].metadata.timeout']);
    expect(wrong({ issuers: [] })).toEqual(['issuers']);
  });

  it('throws when two entries have the same iss or the same name', () => {
    expect(wrong({ issuers: [valid, valid] })).toEqual(['issuers[1].name', 'issuers[1].tokenIssuers']);
  });

  it('throws when an issuer stands beside them', () => {
    expect(wrong({ ...valid, issuers: [valid] })).toEqual(['issuer']);
  });
});

describe('names', () => {
  it('throws when an option or an extra has no such name', () => {
    expect(wrong({ ...valid, isuer: 'typo' })).toEqual(['isuer']);
    expect(wrong({ ...valid, metadata: { polling: true } })).toEqual(['metadata.polling']);
    expect(wrong(valid, { secureByDefalt: true })).toEqual(['secureByDefalt']);
  });

  it.each(['isGlobal', 'secureByDefault'])('throws when %s stands among the options', (name) => {
    expect(wrong({ ...valid, [name]: true })).toEqual([name]);
    expect(wrong(valid, { [name]: true })).toEqual([]);
    expect(wrong(valid, { [name]: 'yes' })).toEqual([name]);
  });
});
