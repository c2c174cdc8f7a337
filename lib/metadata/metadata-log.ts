import type { LoggerService } from '@nestjs/common';
import { oneLine } from '../errors/one-line.js';
import type { BudgetUse, MetadataEvent } from './metadata-events.js';
import type { ResolvedMetadataOptions } from './metadata-options.js';
import type { MetadataProvider } from './metadata.provider.js';

type EventType = MetadataEvent['type'];
type EventsByType = { [Type in EventType]: Extract<MetadataEvent, { type: Type }> };
/** Distributed, so that an entry of the table and its event stay of one type. */
type EventOf<Type extends EventType> = { [T in Type]: { readonly type: T } & EventsByType[T] }[Type];
type Line = readonly [level: 'log' | 'warn' | 'error', text: string];

/** What is written for an event: a line at a level, or nothing (`undefined`). */
type LogTable = {
  readonly [Type in EventType]: (event: EventOf<Type>, seen: Seen) => Line | undefined;
};

/** What has been logged before: a lasting fault is logged once. */
interface Seen {
  /** The kind of the last failure, until a refresh succeeds. */
  failure: string | undefined;
  isDiscoveryFailing: boolean;
  /** In the refresh under way. */
  hasDiscoveryFailed: boolean;
  jwksUri: string | undefined;
}

/** Logs state changes: one line per change, nothing per request, nothing that comes from a token. */
export function logMetadataEvents(provider: MetadataProvider, logger: LoggerService): void {
  const seen: Seen = {
    failure: undefined,
    isDiscoveryFailing: false,
    hasDiscoveryFailed: false,
    jwksUri: undefined,
  };
  provider.events$.subscribe((event) => {
    const entry = lineOf(event, seen);
    if (!entry) return;
    const [level, text] = entry;
    logger[level](`${event.issuer}: ${oneLine(text)}`);
  });
}

function lineOf<Type extends EventType>(event: EventOf<Type>, seen: Seen): Line | undefined {
  return LINES[event.type](event, seen);
}

/** Exhaustive: a new event type without an entry does not compile. */
const LINES: LogTable = {
  'refresh-started': (_event, seen) => {
    seen.hasDiscoveryFailed = false;
    return undefined;
  },
  'refresh-succeeded': ({ trigger }, seen) => {
    const wasFailing = seen.failure !== undefined;
    seen.failure = undefined;
    // Only an automatic refresh always reads the document.
    if (trigger === 'automatic') seen.isDiscoveryFailing = seen.hasDiscoveryFailed;
    return wasFailing ? ['log', 'metadata can be refreshed again'] : undefined;
  },
  'refresh-failed': ({ error }, seen) => {
    const kind = `${error.fault} ${error.details.status}`;
    if (seen.failure === kind) return undefined;
    seen.failure = kind;
    const level = error.fault === 'defect' ? 'error' : 'warn';
    return [level, `metadata refresh failed (${error.fault}): ${error.message}`];
  },
  'discovery-failed': ({ error }, seen) => {
    const wasFailing = seen.isDiscoveryFailing;
    seen.isDiscoveryFailing = seen.hasDiscoveryFailed = true;
    if (wasFailing) return undefined;
    return ['warn', `discovery document not readable, key set is (${error.fault}): ${error.message}`];
  },
  'metadata-changed': ({ metadata, isFirst, addedKeyIds, withdrawnKeyIds, replacedKeyIds }, seen) => {
    const { jwksUri } = metadata;
    const hasMoved = !isFirst && jwksUri !== seen.jwksUri;
    seen.jwksUri = jwksUri;
    if (isFirst) return ['log', `key set loaded, keys [${printable(addedKeyIds)}]`];
    const added = `added [${printable(addedKeyIds)}], withdrawn [${printable(withdrawnKeyIds)}]`;
    const replaced = replacedKeyIds.length > 0 ? `, replaced [${printable(replacedKeyIds)}]` : '';
    const moved = hasMoved ? `, now at ${jwksUri.slice(0, 200)}` : '';
    const isChange = addedKeyIds.length + withdrawnKeyIds.length > 0 || replaced !== '' || hasMoved;
    // Else the members of a key have changed that say nothing of the key.
    return isChange ? ['log', `key set changed, ${added}${replaced}${moved}`] : undefined;
  },
  'metadata-expired': () => [
    'warn',
    'last known good metadata has expired; requests are answered 503 until a refresh succeeds',
  ],
  'key-skipped': ({ kid, fault }) => [
    fault === 'private' ? 'error' : 'warn',
    `key ${printable([kid ?? '(no kid)'])} of the key set is not used: ${fault}`,
  ],
  'key-normalized': ({ kid, members }) => [
    'warn',
    `key ${printable([kid ?? '(no kid)'])} of the key set is used although ${members.join(' and ')} are not written as RFC 7518 asks for`,
  ],
  'budget-exhausted': ({ cause }) => [
    'warn',
    `refresh budget exhausted${BUDGET_CAUSES[cause]}; waiting requests are served as it refills`,
  ],
  // Once per check of another replica: not worth a line.
  'snapshot-received': () => undefined,
  'snapshot-refused': ({ error }) => [
    'warn',
    `a stored snapshot is not used (${error.fault}): ${error.message}`,
  ],
  'store-failed': ({ operation, error }) => [
    'warn',
    `metadata store failed (${operation}), continuing without it: ${oneLine(error.message, 200)}`,
  ],
  'store-recovered': () => ['log', 'metadata store works again'],
};

const BUDGET_CAUSES: Readonly<Record<BudgetUse, string>> = {
  'unknown-key-ids': ' by unknown key ids',
  failures: ' by failing refreshes',
  other: '',
};

/** Warns once where keys may come over plain http from another machine: an attacker on the path can replace them. */
export function logPlainHttp(
  { issuer, requireHttps, jwksUri, metadataAddresses, sources }: ResolvedMetadataOptions,
  logger: LoggerService,
): void {
  if (requireHttps) return;
  const all = sources.length > 0 ? sources : [{ jwksUri, metadataAddresses }];
  const addresses = all.flatMap((source) => source.jwksUri ?? source.metadataAddresses);
  const host = addresses.map((address) => new URL(address).hostname).find((name) => !isLoopback(name));
  if (host !== undefined)
    logger.warn(`${issuer}: metadata.requireHttps is false, and ${host} is not a loopback address`);
}

/** RFC 6761 §6.3, RFC 1122 §3.2.1.3, RFC 4291 §2.5.3; the URL parser has normalized every spelling. */
function isLoopback(host: string): boolean {
  return /^(127(\.\d+){3}|\[::1\]|(.+\.)?localhost)$/.test(host);
}

/** Key ids are the issuer's text: bounded, and without anything that could forge a log line (CWE-117). */
function printable(ids: readonly string[]): string {
  return ids.map((id) => id.slice(0, 64).replace(/[^\x21-\x7e]/g, '?')).join(', ');
}
