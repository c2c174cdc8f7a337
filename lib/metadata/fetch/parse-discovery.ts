import { MetadataRefreshError } from '../../errors/metadata.errors.js';
import { oneLine } from '../../errors/one-line.js';

const MAX_TEXT = 200;

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
      `The discovery document does not name the issuer ${issuer}: ${difference(named, issuer)}; set issuer to the name in the document (and tokenIssuers to the iss of your tokens, if that differs), or jwksUri to do without the document`,
    );
  }
  const fault = addressFault(address, requireHttps);
  if (fault !== undefined || typeof address !== 'string')
    throw new MetadataRefreshError(
      'bad-jwks-uri',
      `The jwks_uri of the discovery document ${fault}; set jwksUri`,
    );
  return address;
}

/** https, or plain http where the operator allowed it; nothing else is ever fetched. */
export function isAcceptableAddress(address: string, requireHttps: boolean): boolean {
  return addressFault(address, requireHttps) === undefined;
}

function addressFault(address: unknown, requireHttps: boolean): string | undefined {
  if (address === undefined || address === null || address === '') return 'is missing';
  if (typeof address !== 'string') return 'is not a string';
  // RFC 3986 §2: the URL parser removes white space silently, and a log line would be broken by it.
  if (/[\s\p{Cc}]/u.test(address)) return 'holds white space or control characters';
  if (!URL.canParse(address)) {
    const isRelative = URL.canParse(address, 'https://issuer.invalid');
    return isRelative ? 'is relative, it must be an absolute https URL' : 'is not a URL';
  }
  const { protocol, username, password } = new URL(address);
  if (username !== '' || password !== '') return 'holds credentials';
  if (protocol === 'https:' || (protocol === 'http:' && !requireHttps)) return undefined;
  return requireHttps
    ? `is not an https address but ${oneLine(protocol, MAX_TEXT)} (plain http needs metadata.requireHttps: false)`
    : `is not an http or https address but ${oneLine(protocol, MAX_TEXT)}`;
}

/** How the issuer that a document names differs from the configured one. Only a URL is repeated: other text is not. */
function difference(named: unknown, issuer: string): string {
  // Strings only: JSON can hold objects that throw when they are converted to text.
  if (typeof named !== 'string' || named === '') return 'it names none';
  if (`https://${named}` === issuer) return 'it names it without https://';
  if (!URL.canParse(named) || !URL.canParse(issuer)) return 'it names something that is not a URL';
  const [theirs, ours] = [new URL(named), new URL(issuer)];
  if (theirs.username !== '' || theirs.password !== '') return 'it names a URL with credentials';
  const name = `it names ${oneLine(named.replace(/[?#].*/s, ''), MAX_TEXT)}`;
  if (named === `${issuer}/` || `${named}/` === issuer) return `${name} (they differ in a trailing slash)`;
  if (/[{}]/.test(named)) return `${name}, a template (issuer may hold {tenantid}, with tenants)`;
  if (named.toLowerCase() === issuer.toLowerCase()) return `${name} (they differ in case)`;
  const parts = { scheme: 'protocol', host: 'hostname', port: 'port', path: 'pathname' } as const;
  const different = Object.entries(parts).filter(([, member]) => theirs[member] !== ours[member]);
  return different.length > 0
    ? `${name} (they differ in ${different.map(([part]) => part).join(' and ')})`
    : `${name} (they differ in spelling)`;
}

function members(document: unknown): Readonly<Record<string, unknown>> {
  return typeof document === 'object' && document !== null ? { ...document } : {};
}
