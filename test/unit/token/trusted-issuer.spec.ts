import { describe, expect, it } from 'vitest';
import { fillTenant, IssuerDirectory, isIssuerTemplate } from '../../../lib/token/trusted-issuer.js';
import { trustedIssuer } from '../../support/issuers/trusted-issuer.js';

const TENANT = '11111111-2222-3333-4444-555555555555';
const plain = trustedIssuer({ issuer: 'https://a.test', algorithms: ['ES256'], tokenTypes: ['at+jwt'] });
const several = trustedIssuer({
  issuer: 'https://login.test/{tenantid}/v2.0',
  metadataAddress: 'https://login.test/common',
  tenants: null,
  algorithms: ['RS256'],
  tokenTypes: [null],
});
const directory = new IssuerDirectory([plain, several]);
const issuerOf = (iss: unknown, tid?: unknown) => directory.find(iss, tid)?.issuer;

describe('IssuerDirectory', () => {
  it('returns the issuer when iss is one of its own, exactly', () => {
    expect(issuerOf('https://a.test')).toBe(plain);
    for (const iss of [
      'https://a.test/',
      'https://A.test',
      'https://a.test ',
      '',
      undefined,
      7,
      ['https://a.test'],
    ])
      expect(issuerOf(iss)).toBeUndefined();
  });

  it('returns issuer and tenant when the template with the tid of the token is its iss', () => {
    expect(directory.find(`https://login.test/${TENANT}/v2.0`, TENANT)).toEqual({
      issuer: several,
      tenantId: TENANT,
    });
    for (const [iss, tid] of [
      [`https://login.test/${TENANT}/v2.0`, undefined],
      [`https://login.test/${TENANT}/v2.0`, TENANT.replace('1', '2')],
      [`https://login.test/${TENANT}/v1.0`, TENANT],
      ['https://login.test/{tenantid}/v2.0', '{tenantid}'],
      ['https://login.test/{tenantid}/v2.0', TENANT],
      ['https://login.test/a/v2.0', 'a'],
      [`https://login.test/${TENANT}${TENANT}/v2.0`, TENANT],
    ])
      expect(issuerOf(iss, tid)).toBeUndefined();
  });

  it('returns the algorithms and types that at least one issuer accepts', () => {
    expect([...directory.algorithms]).toEqual(['ES256', 'RS256']);
    expect([...directory.tokenTypes]).toEqual(['at+jwt', null]);
  });
});

describe('a template', () => {
  it('returns the text as it is when there is no tenant, and takes no pattern of a replacement', () => {
    expect(isIssuerTemplate('https://login.test/{tenantId}/')).toBe(true);
    expect(isIssuerTemplate('https://login.test/tenantid/')).toBe(false);
    expect(fillTenant('a/{tenantid}/b', undefined)).toBe('a/{tenantid}/b');
    expect(fillTenant('a/{tenantid}/b', '$&')).toBe('a/$&/b');
  });
});
