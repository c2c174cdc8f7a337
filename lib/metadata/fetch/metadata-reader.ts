import type { JwksClient } from 'jwks-rsa';
import { LRUCache } from 'lru-cache';
import { defect, MetadataRefreshError } from '../../errors/metadata.errors.js';
import type { Clock } from '../../time/clock.js';
import type { IssuerMetadata } from '../../keys/issuer-metadata.js';
import {
  parseKeySet,
  type ParsedKeySet,
  type NormalizedKey,
  type SkippedKey,
} from '../../keys/parse-key-set.js';
import { DiscoveryReader } from './discovery-reader.js';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import type { Answer, MetadataRetriever } from './metadata-retriever.js';
import type { SigningKey } from '../../keys/signing-key.js';

/** What one attempt should read. */
export interface ReadRequest {
  /** The current snapshot, if there is one; may change while the attempt runs. */
  readonly known: IssuerMetadata | undefined;
  /** When the answer of the current snapshot was generated; older answers are ignored. Monotonic. */
  readonly notBefore: number;
  /** On demand the key set alone is read first: that is where a new key appears. */
  readonly keySetFirst: boolean;
  /** The key ids that requests wait for; may grow while the attempt runs. */
  readonly requestedKids: ReadonlySet<string>;
  /** Whether a request waits for any new key; may change while the attempt runs. */
  readonly needsNewKey: boolean;
  /** Fingerprints of the known keys that are expected at this source. Default: all. */
  readonly expected?: ReadonlySet<string>;
}

/** What one attempt read and validated. */
export interface Reading {
  readonly jwksUri: string;
  readonly keys: readonly SigningKey[];
  readonly skipped: readonly SkippedKey[];
  readonly normalized: readonly NormalizedKey[];
  /** When the answer was generated, at the latest: the start of the exchange, less its `Age`. Monotonic. */
  readonly generatedAt: number;
  readonly maxAge: number | undefined;
  readonly age: number;
  /** The documents were read twice: a key that is missing is absent. */
  readonly isDoubleChecked?: boolean;
  /** The discovery document could not be read; the key set could. */
  readonly discoveryFailure?: MetadataRefreshError;
  /** The second read failed: known keys were kept, and a missing key is not proven absent. */
  readonly unconfirmed?: MetadataRefreshError;
}

/** Discovery document and key set, and those before a move. */
const ADDRESSES_CACHED = 4;

interface CachedDocument {
  readonly etag: string;
  readonly document: unknown;
}

/** Reads discovery document and key set, in an order that depends on the cause of the refresh, and validates them. */
export class MetadataReader {
  readonly #options: ResolvedMetadataOptions;
  /** Loaded with the first key set: jwks-rsa and jose take a quarter of the import time of this library. */
  #JwksClient: typeof JwksClient | undefined;
  readonly #retriever: MetadataRetriever;
  readonly #clock: Clock;
  readonly #documents = new LRUCache<string, CachedDocument>({ max: ADDRESSES_CACHED });
  readonly #discovery: DiscoveryReader;

  constructor(options: ResolvedMetadataOptions, retriever: MetadataRetriever, clock: Clock) {
    this.#options = options;
    this.#retriever = retriever;
    this.#clock = clock;
    this.#discovery = new DiscoveryReader(options, (address) => this.#get(address));
  }

  /** One attempt: one to four HTTP requests. @throws {MetadataRefreshError} */
  async read(request: ReadRequest): Promise<Reading> {
    const first = await this.#first(request);
    if (!isMissingKey(first, request)) return first;
    // A missing key may be one stale node's answer. Only when a second, unconditional read of both documents misses it
    // too is it gone; presence in either read wins.
    this.#documents.clear();
    try {
      const second = await this.#both(first.jwksUri, request, false);
      const keys = second.jwksUri === first.jwksUri ? union(first.keys, second.keys) : second.keys;
      return { ...second, keys, isDoubleChecked: true };
    } catch (error) {
      const unconfirmed = asRefreshError(error);
      const known = (request.known?.keys ?? []).filter(
        ({ fingerprint }) => request.expected?.has(fingerprint) ?? true,
      );
      return { ...first, keys: union(first.keys, known), unconfirmed };
    }
  }

  #first(request: ReadRequest): Promise<Reading> {
    const { known, keySetFirst } = request;
    if (!known?.jwksUri) return this.#load(request);
    return keySetFirst ? this.#keySetFirst(known.jwksUri, request) : this.#both(known.jwksUri, request, true);
  }

  async #load(request: ReadRequest): Promise<Reading> {
    return this.#keySet(this.#options.jwksUri ?? (await this.#discovery.jwksUri(true)), request);
  }

  async #keySetFirst(jwksUri: string, request: ReadRequest): Promise<Reading> {
    try {
      return await this.#keySet(jwksUri, request);
    } catch (error) {
      // A timeout has used the time of one refresh, and Retry-After forbids another exchange; any other failure may mean
      // that the key set has moved.
      const failure = asRefreshError(error);
      const isFinal = failure.fault === 'timeout' || failure.details.retryAfterMs !== undefined;
      if (this.#options.jwksUri !== undefined || isFinal) throw failure;
      const moved = await this.#discovery.jwksUri(false).catch(() => jwksUri);
      if (moved === jwksUri) throw failure;
      return this.#keySet(moved, request);
    }
  }

  async #both(jwksUri: string, request: ReadRequest, isComplete: boolean): Promise<Reading> {
    if (this.#options.jwksUri !== undefined) return this.#keySet(this.#options.jwksUri, request);
    const [discovered, keySet] = await Promise.allSettled([
      this.#discovery.jwksUri(isComplete),
      this.#keySet(jwksUri, request),
    ]);
    if (discovered.status === 'rejected') {
      const discoveryFailure = asRefreshError(discovered.reason);
      if (contradicts(discoveryFailure)) throw discoveryFailure;
      if (keySet.status === 'rejected') throw longerOf(asRefreshError(keySet.reason), discoveryFailure);
      return { ...keySet.value, discoveryFailure };
    }
    if (discovered.value !== jwksUri) return this.#keySet(discovered.value, request);
    if (keySet.status === 'rejected') throw asRefreshError(keySet.reason);
    return keySet.value;
  }

  async #keySet(jwksUri: string, request: ReadRequest): Promise<Reading> {
    const startedAt = this.#clock.monotonic();
    let answer: Answer | undefined;
    const Client = (this.#JwksClient ??= (await import('jwks-rsa')).JwksClient);
    // jwks-rsa fetches through us: one client per read, its own cache and limiter off.
    const client = new Client({
      jwksUri,
      cache: false,
      rateLimit: false,
      fetcher: async (uri) => {
        answer = await this.#get(uri);
        return { keys: keysMember(answer.document) };
      },
    });
    const keys = await client.getKeys();
    if (!answer) throw new MetadataRefreshError('unreachable', `${jwksUri} gave no answer`);
    const generatedAt = startedAt - answer.age;
    if (generatedAt + AGE_RESOLUTION < request.notBefore) {
      throw new MetadataRefreshError(
        'outdated',
        `${jwksUri} answered with a copy older than the current snapshot`,
      );
    }
    const parsed: ParsedKeySet = await parseKeySet({ keys }, this.#options.algorithms, request.known);
    return { jwksUri, ...parsed, generatedAt, maxAge: answer.maxAge, age: answer.age };
  }

  /** A conditional read: a 304 stands for the document its ETag came with. */
  async #get(address: string): Promise<Answer> {
    const cached = this.#documents.get(address);
    const answer = await this.#retriever.get(address, cached?.etag);
    if (answer.isUnchanged) return { ...answer, document: cached?.document };
    if (answer.etag === undefined) this.#documents.delete(address);
    else this.#documents.set(address, { etag: answer.etag, document: answer.document });
    return answer;
  }
}

/** `Age` counts whole seconds. */
const AGE_RESOLUTION = 1000;

/** Whether a key is missing that is known, or that a request waits for. */
function isMissingKey({ keys, skipped }: Reading, request: ReadRequest): boolean {
  const { known, requestedKids, needsNewKey } = request;
  const expected = request.expected ?? known?.keys.map((key) => key.fingerprint) ?? [];
  const prints = new Set(keys.map((key) => key.fingerprint));
  const ids = new Set([...keys, ...skipped].map(({ kid }) => kid));
  return (
    [...expected].some((fingerprint) => !prints.has(fingerprint)) ||
    [...requestedKids].some((kid) => !ids.has(kid)) ||
    (needsNewKey && keys.every((key) => known?.has(key)))
  );
}

export function union(first: readonly SigningKey[], second: readonly SigningKey[]): readonly SigningKey[] {
  return [...new Map([...first, ...second].map((key) => [key.fingerprint, key])).values()];
}

/** The document was read, and contradicts the configuration: that is no outage. */
function contradicts({ fault }: MetadataRefreshError): boolean {
  return fault === 'wrong-issuer' || fault === 'bad-jwks-uri';
}

/** Of two failures the one with the longer Retry-After. */
function longerOf(first: MetadataRefreshError, second: MetadataRefreshError): MetadataRefreshError {
  return (second.details.retryAfterMs ?? 0) > (first.details.retryAfterMs ?? 0) ? second : first;
}

function keysMember(document: unknown): unknown {
  return typeof document === 'object' && document !== null && 'keys' in document ? document.keys : undefined;
}

export function asRefreshError(error: unknown): MetadataRefreshError {
  if (error instanceof MetadataRefreshError) return error;
  return defect(error);
}
