import { describe, expect, it } from 'vitest';
import { parsePublicUrl } from '../../../lib/authentication/http/public-url.js';
import { isSameUri, targetUri } from '../../../lib/sender-constrained/dpop/proof/target-uri.js';

describe('targetUri', () => {
  const at = (url: string, base = 'https://api.example.com') => targetUri({ url }, parsePublicUrl(base));

  it('returns the public URL with the path of the request', () => {
    expect(at('/a?b')).toBe('https://api.example.com/a');
    expect(at('/a', 'https://API.example.com:443/')).toBe('https://api.example.com/a');
    expect(at('//evil.example/a')).toBe('https://api.example.com//evil.example/a');
  });

  it.each(['https://api.example.com/v1', 'https://api.example.com/v1/'])(
    'returns the path of %s once, whether a proxy has taken it away or not',
    (base) => {
      expect(at('/a', base)).toBe('https://api.example.com/v1/a');
      expect(at('/v1/a', base)).toBe('https://api.example.com/v1/a');
      expect(at('/v1', base)).toBe('https://api.example.com/v1');
      expect(at('/v10/a', base)).toBe('https://api.example.com/v1/v10/a');
      expect(at('/V1/a', base)).toBe('https://api.example.com/v1/V1/a');
    },
  );

  it.each([
    'http://api.example.com/a',
    'api.example.com:443',
    '*',
    '',
    'a',
    '?a',
    '/a/./b',
    '/a/..',
    '/%2E%2e/a',
    '/.',
  ])('returns nothing for the target %j', (target) => expect(at(target)).toBeUndefined());

  it('returns the address for dots that are no segments', () => {
    for (const path of ['/a..b', '/...', '/.well-known/x', '/a.', '/a/..b'])
      expect(at(path)).toBe(`https://api.example.com${path}`);
  });

  it('returns nothing for a request without a target', () => {
    const base = parsePublicUrl('https://api.example.com');
    for (const request of [{}, { url: 7 }, { raw: {} }, { originalUrl: null }])
      expect(targetUri(request, base)).toBeUndefined();
  });

  it('reads the target as it was sent, and not what middleware made of it', () => {
    const base = parsePublicUrl('https://api.example.com');
    expect(targetUri({ originalUrl: '/sent', url: '/changed' }, base)).toBe('https://api.example.com/sent');
    expect(targetUri({ raw: { url: '/sent' } }, base)).toBe('https://api.example.com/sent');
  });
});

describe('isSameUri', () => {
  it('returns true for loopback addresses, with and without their default port', () => {
    expect(isSameUri('http://localhost:80/a', 'http://localhost/a')).toBe(true);
    expect(isSameUri('http://[::1]:3000/a', 'http://[0:0::1]:3000/a')).toBe(true);
  });

  it('returns false for texts that are no absolute address, also when both are alike but for their case', () => {
    expect(isSameUri('/A', '/a')).toBe(false);
    expect(isSameUri('https://%zz/', 'https://%ZZ/')).toBe(false);
  });
});
