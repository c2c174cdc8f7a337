import type { LoggerService } from '@nestjs/common';
import type { MetadataEvent } from './metadata-events.js';
import type { ResolvedMetadataOptions } from './metadata-options.js';
import type { MetadataProvider } from './metadata.provider.js';

/** Writes changes of state to the log: once per change, nothing per request, nothing that comes from a token. */
export function logMetadataEvents(provider: MetadataProvider, logger: LoggerService): void {
  let isFailing = false;
  let isDiscoveryFailing = false;
  let hasDiscoveryFailed = false;
  provider.events$.subscribe((event) => {
    if (event.type === 'refresh-started') {
      hasDiscoveryFailed = false;
    } else if (event.type === 'discovery-failed') {
      if (!isDiscoveryFailing) logger.warn(describe(event));
      isDiscoveryFailing = hasDiscoveryFailed = true;
    } else if (event.type === 'refresh-failed') {
      if (!isFailing) logger.warn(describe(event));
      isFailing = true;
    } else if (event.type === 'refresh-succeeded') {
      if (isFailing) logger.log(`${event.issuer}: metadata can be refreshed again`);
      isFailing = false;
      // Only an automatic refresh reads the document in any case.
      if (event.trigger === 'automatic') isDiscoveryFailing = hasDiscoveryFailed;
    } else if (event.type === 'key-skipped' && event.fault === 'private') {
      logger.error(describe(event));
    } else if (event.type === 'snapshot-received') {
      // Once per check of another replica: not worth a line.
    } else if (event.type === 'metadata-changed' || event.type === 'store-recovered') {
      logger.log(describe(event));
    } else {
      logger.warn(describe(event));
    }
  });
}

/** Warns once where keys may come over plain http from another machine: whoever is on the way can replace them. */
export function logPlainHttp(
  { issuer, requireHttps, jwksUri, metadataAddresses }: ResolvedMetadataOptions,
  logger: LoggerService,
): void {
  if (requireHttps) return;
  const addresses = jwksUri === undefined ? metadataAddresses : [jwksUri];
  const host = addresses.map((address) => new URL(address).hostname).find((name) => !isLoopback(name));
  if (host !== undefined)
    logger.warn(`${issuer}: metadata.requireHttps is false, and ${host} is not a loopback address`);
}

/** RFC 6761 §6.3, RFC 1122 §3.2.1.3, RFC 4291 §2.5.3; the URL parser has brought every spelling into this form. */
function isLoopback(host: string): boolean {
  return /^(127(\.\d+){3}|\[::1\]|(.+\.)?localhost)$/.test(host);
}

function describe(event: MetadataEvent): string {
  switch (event.type) {
    case 'refresh-failed':
      return `${event.issuer}: metadata refresh failed (${event.error.fault}): ${event.error.message}`;
    case 'metadata-changed':
      return `${event.issuer}: key set changed, added [${printable(event.addedKeyIds)}], withdrawn [${printable(event.withdrawnKeyIds)}]`;
    case 'metadata-expired':
      return `${event.issuer}: last known good metadata has expired; requests are answered 503 until a refresh succeeds`;
    case 'discovery-failed':
      return `${event.issuer}: discovery document not readable, key set is (${event.error.fault}): ${event.error.message}`;
    case 'key-skipped':
      return `${event.issuer}: key ${printable([event.kid ?? '(no kid)'])} of the key set is not used: ${event.fault}`;
    case 'budget-exhausted':
      return `${event.issuer}: refresh budget exhausted by unknown key ids; waiting requests are served as it refills`;
    case 'snapshot-refused':
      return `${event.issuer}: a stored snapshot is not used (${event.error.fault}): ${event.error.message}`;
    case 'store-failed':
      return `${event.issuer}: metadata store failed (${event.operation}), going on without it: ${line(event.error.message)}`;
    case 'store-recovered':
      return `${event.issuer}: metadata store works again`;
    default:
      return `${event.issuer}: ${event.type}`;
  }
}

/** The store's text: whatever it says, it stays one line. */
function line(text: string): string {
  return text.slice(0, 200).replace(/[^\x20-\x7e]/g, '?');
}

/** Key ids are the issuer's text: capped, and with nothing in them that could forge a log line (CWE-117). */
function printable(ids: readonly string[]): string {
  return ids.map((id) => id.slice(0, 64).replace(/[^\x21-\x7e]/g, '?')).join(', ');
}
