import { MetadataRefreshError } from '../../errors/metadata.errors.js';

/**
 * Parses a discovery document and returns its `jwks_uri`. Pure.
 *
 * @throws {MetadataRefreshError} unless it names this very issuer (RFC 8414 §3.3) and an acceptable address
 */
export function parseDiscovery(document: unknown, issuer: string, requireHttps: boolean): string {
  const { issuer: named, jwks_uri: address } = members(document);
  if (named !== issuer) {
    throw new MetadataRefreshError(
      'wrong-issuer',
      `The discovery document does not name the issuer ${issuer}${slashHint(named, issuer)}`,
    );
  }
  if (typeof address !== 'string' || !isAcceptableAddress(address, requireHttps)) {
    throw new MetadataRefreshError(
      'bad-jwks-uri',
      'The jwks_uri of the discovery document is not an https address',
    );
  }
  return address;
}

/** https, or plain http where the operator allowed it; nothing else is ever fetched. */
export function isAcceptableAddress(address: string, requireHttps: boolean): boolean {
  // RFC 3986 §2: the URL parser removes white space silently, and a log line would be broken by it.
  if (/[\s\p{Cc}]/u.test(address) || !URL.canParse(address)) return false;
  const { protocol, username, password } = new URL(address);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && !requireHttps);
}

/** The most common mistake, named without repeating the document's text. */
function slashHint(named: unknown, issuer: string): string {
  // Strings only: JSON can hold objects that throw when they are converted to text.
  if (typeof named !== 'string') return '';
  return named === `${issuer}/` || `${named}/` === issuer ? ' (they differ in a trailing slash)' : '';
}

function members(document: unknown): Readonly<Record<string, unknown>> {
  return typeof document === 'object' && document !== null ? { ...document } : {};
}
