import { describe, expect, it } from 'vitest';
import { MetadataRefreshError } from '../../../lib/errors/metadata.errors.js';
import { parseDiscovery } from '../../../lib/metadata/fetch/parse-discovery.js';

const ISSUER = 'https://issuer.test/realms/Shop';
const JWKS = 'https://issuer.test/jwks';

function failureOf(document: unknown, requireHttps = true): MetadataRefreshError {
  try {
    parseDiscovery(document, ISSUER, requireHttps);
  } catch (error) {
    if (error instanceof MetadataRefreshError) return error;
  }
  throw new Error('The document was accepted');
}

describe('parseDiscovery', () => {
  it('returns the jwks_uri when the document names the issuer', () => {
    expect(parseDiscovery({ issuer: ISSUER, jwks_uri: JWKS }, ISSUER, true)).toBe(JWKS);
  });

  it.each([
    ['missing', undefined, 'is missing'],
    ['null', null, 'is missing'],
    ['no string', 7, 'is not a string'],
    ['relative', '/jwks', 'is relative'],
    ['plain http', 'http://issuer.test/jwks', 'is not an https address but http:'],
    ['of another scheme', 'file:///etc/passwd', 'is not an https address but file:'],
    ['no URL', 'https://', 'is not a URL'],
    ['with credentials', 'https://a:b@issuer.test/jwks', 'holds credentials'],
    ['with a line break', 'https://issuer.test/jwks\n', 'white space'],
  ])('throws a text of its own when jwks_uri is %s', (_what, jwks_uri, text) => {
    const { fault, message } = failureOf({ issuer: ISSUER, jwks_uri });
    expect(fault).toBe('bad-jwks-uri');
    expect(message).toContain(
      `jwks_uri of the discovery document ${text}`.replace('document white', 'document holds white'),
    );
  });

  it.each([
    ['a trailing slash', `${ISSUER}/`, 'they differ in a trailing slash'],
    ['case', 'https://issuer.test/realms/shop', 'they differ in case'],
    ['the scheme', 'http://issuer.test/realms/Shop', 'they differ in scheme'],
    ['the host', 'https://internal.test/realms/Shop', 'they differ in host'],
    ['host and port', 'https://internal.test:8443/realms/Shop', 'they differ in host and port'],
    ['the path', 'https://issuer.test/realms/other', 'they differ in path'],
    ['a template', 'https://issuer.test/{tenantid}/v2.0', 'a template'],
    ['a missing scheme', 'issuer.test/realms/Shop', 'without https://'],
  ])('[E1-7] throws an error that names the difference when it is %s', (_what, issuer, text) => {
    const { fault, message } = failureOf({ issuer, jwks_uri: JWKS });
    expect(fault).toBe('wrong-issuer');
    expect(message).toContain(text);
    expect(message).toContain('tokenIssuers');
    expect(message).toContain('jwksUri');
  });

  it('[E1-7] throws an error that names the trailing slash when the document lacks it', () => {
    const document = { issuer: ISSUER, jwks_uri: JWKS };
    expect(() => parseDiscovery(document, `${ISSUER}/`, true)).toThrow(
      `does not name the issuer ${ISSUER}/: it names ${ISSUER} (they differ in a trailing slash)`,
    );
  });

  it.each([
    ['an object', { toString: 1 }],
    ['nothing', undefined],
    ['text that is no URL', 'UPSTREAM <script>'],
    ['a URL with a secret', 'https://a:SECRET@issuer.test'],
    ['a URL with a query', 'https://issuer.test/?SECRET'],
    ['a very long URL', `https://issuer.test/${'x'.repeat(100_000)}`],
    ['bidirectional controls', 'https://issuer.test/\u202e\u2066gpj'],
    ['line separators', 'https://issuer.test/\u2028WARN'],
  ])(
    "throws a short printable message without the issuer's text when the document names %s",
    (_what, issuer) => {
      const { message } = failureOf({ issuer, jwks_uri: JWKS });
      expect(message.length).toBeLessThan(1001);
      expect(message).not.toMatch(/SECRET|UPSTREAM|[\p{C}\p{Zl}\p{Zp}]/u);
    },
  );
});
