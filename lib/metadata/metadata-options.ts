import type { AlgorithmPolicy } from '../keys/algorithms.js';
import type { MetadataStore } from './store/metadata-store.js';

/** What the library passes to `fetch`. */
export interface MetadataRequestInit {
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  readonly redirect: 'manual';
  readonly credentials: 'omit';
}

/** What the library reads of an answer. */
export interface MetadataResponse {
  readonly status: number;
  /** `'opaqueredirect'`: a redirect, as browsers report it. */
  readonly type?: string;
  readonly headers: { get(name: string): string | null };
  readonly body: MetadataResponseBody | null;
}

/** A web stream, or a stream of Node.js. */
export type MetadataResponseBody =
  | AsyncIterable<Uint8Array>
  | { getReader(): { read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }> } };

/** The part of `fetch` that the library calls: `globalThis.fetch` and undici's `fetch` fit, with and without DOM types. */
export type MetadataFetch = (address: string, init: MetadataRequestInit) => Promise<MetadataResponse>;

/** A length of time: milliseconds, or a string with its unit as `ms` reads it (`'10m'`, `'1.5h'`); `'60'` is refused. */
export type Duration = number | string;

/** `wait`: load at boot, start anyway when it fails. `require`: fail the boot. `lazy`: the first well-formed token loads. */
export type Startup = 'wait' | 'require' | 'lazy';

/** How the metadata of one issuer (discovery document and key set) is kept fresh. */
export interface MetadataOptions {
  /**
   * Age after which a background refresh starts, with 10 % jitter either way. The key set's `max-age` less its `Age`
   * shortens it, to no less than one minute; nothing lengthens it. Default `'10m'`, `'1s'` to `'24h'`.
   */
  automaticRefreshInterval?: Duration | undefined;
  /**
   * On-demand refreshes: one per interval on average. Bounds how long a burst of unknown key ids can delay a request
   * that carries a new key. Default `'5s'`, `'1s'` to `'1h'`.
   */
  refreshInterval?: Duration | undefined;
  /**
   * How many on-demand refreshes may be available. A wrong signature under a known key never spends the last three, so a
   * value below 4 leaves recovery from a reused `kid` to the automatic refresh. Default `5`, 1 to 100.
   */
  refreshBurst?: number | undefined;
  /** How long a request with an unknown key waits for an answer; then 503. Default `'10s'`, 0 to `'60s'`. */
  refreshWait?: Duration | undefined;
  /** Requests waiting for a refresh of this issuer; beyond that 503 at once. Default `10_000`, at least 1. */
  maxWaiting?: number | undefined;
  /** One HTTP exchange: connect, headers and body. Default `'5s'`, `'100ms'` to `'30s'`. */
  timeout?: Duration | undefined;
  /**
   * How long keys go on serving after the refresh that should have replaced them was due; then 503.
   * Default `'24h'`, at least 0.
   */
  lastKnownGoodLifetime?: Duration | undefined;
  /**
   * `false`: an unknown key is answered from the current snapshot, without a refresh, so a new key is accepted from the
   * next automatic refresh on. As `RefreshOnIssuerKeyNotFound` of ASP.NET. Default `true`.
   */
  refreshOnKeyNotFound?: boolean | undefined;
  /** How boot treats the first load. Default `'wait'`. */
  startup?: Startup | undefined;
  /** Discovery document and key set over https only. `false` warns once for a host that is not loopback. Default `true`. */
  requireHttps?: boolean | undefined;
  /** Bytes of one answer after decompression. Default `524_288`, at least 1024. */
  maxResponseSize?: number | undefined;
  /**
   * Called in place of `fetch`: for proxies, mutual TLS, tracing. Redirects are refused in any case. Default
   * `globalThis.fetch`.
   */
  fetch?: MetadataFetch | undefined;
  /** Keeps the last good snapshot outside the process. Default none. */
  store?: MetadataStore | undefined;
}

/** One of several key sets of an issuer. */
export type MetadataSource = Pick<ResolvedMetadataOptions, 'metadataAddresses' | 'jwksUri'>;

/** {@link MetadataOptions} after validation: every duration in milliseconds, every default filled in. */
export interface ResolvedMetadataOptions {
  readonly issuer: string;
  /** Where to look for the discovery document, in order; empty when `jwksUri` is configured. */
  readonly metadataAddresses: readonly string[];
  readonly jwksUri: string | undefined;
  /** Where the keys come from, when there are several key sets; else empty. */
  readonly sources: readonly MetadataSource[];
  /** What the keys of this issuer may be used for. */
  readonly algorithms: AlgorithmPolicy;
  readonly automaticRefreshInterval: number;
  readonly refreshInterval: number;
  readonly refreshBurst: number;
  readonly refreshWait: number;
  readonly maxWaiting: number;
  readonly timeout: number;
  readonly lastKnownGoodLifetime: number;
  readonly refreshOnKeyNotFound: boolean;
  readonly startup: Startup;
  readonly requireHttps: boolean;
  readonly maxResponseSize: number;
  readonly fetch: MetadataFetch;
  readonly store: MetadataStore | undefined;
}
