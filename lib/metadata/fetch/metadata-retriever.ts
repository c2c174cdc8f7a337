import { MetadataRefreshError, type MetadataFault } from '../../errors/metadata.errors.js';
import { oneLine } from '../../errors/one-line.js';
import type { Clock } from '../../time/clock.js';
import type { MetadataFetch, MetadataResponse, MetadataResponseBody } from '../metadata-options.js';
import { parseBoundedJson } from './bounded-json.js';
import { describeRedirect, describeRefusal, describeThrown, isOwnAnswer } from './describe-failure.js';

/** One answer of the issuer, read but not yet validated. */
export interface Answer {
  /** The parsed body; `undefined` when nothing has changed (304). */
  readonly document: unknown;
  readonly isUnchanged: boolean;
  readonly etag: string | undefined;
  /** Milliseconds a cache held the answer back (RFC 9111 §5.1). */
  readonly age: number;
  /** Milliseconds the answer may be reused for, if published. */
  readonly maxAge: number | undefined;
}

export interface RetrieverOptions {
  readonly fetch: MetadataFetch;
  readonly timeout: number;
  readonly maxResponseSize: number;
}

const HEADERS = {
  // RFC 9110 §12.5.1: with */*, no server has a reason to answer 406.
  accept: 'application/json, application/jwk-set+json;q=0.9, */*;q=0.1',
  // Shared caches resurrect withdrawn keys.
  'cache-control': 'no-cache',
  'user-agent': 'nestjs-resilient-auth',
};

/** The only place that talks to the issuer: one bounded exchange per call, for any behaviour of the server. */
export class MetadataRetriever {
  readonly #options: RetrieverOptions;
  readonly #clock: Clock;
  readonly #closing: AbortSignal;

  constructor(options: RetrieverOptions, clock: Clock, closing: AbortSignal) {
    this.#options = options;
    this.#clock = clock;
    this.#closing = closing;
  }

  /**
   * Reads one JSON document.
   *
   * @param etag of the cached answer, so that the issuer may answer 304
   * @throws {MetadataRefreshError}
   */
  async get(address: string, etag?: string): Promise<Answer> {
    // An attempt that reads several documents continues with the next when one fails: not after the module is closed.
    if (this.#closing.aborted) throw closed();
    const exchange = new AbortController();
    const { signal } = exchange;
    const close = (): void => exchange.abort(closed());
    this.#closing.addEventListener('abort', close);
    const timer = this.#clock.setTimeout(
      () => exchange.abort(failure('timeout', address, `no answer within ${this.#options.timeout} ms`)),
      this.#options.timeout,
    );
    try {
      // A fetch of the user's own may ignore the signal; the deadline holds all the same.
      return await Promise.race([this.#exchange(address, etag, signal), aborted(signal)]);
    } finally {
      this.#clock.clearTimeout(timer);
      this.#closing.removeEventListener('abort', close);
      exchange.abort();
    }
  }

  async #exchange(address: string, etag: string | undefined, signal: AbortSignal): Promise<Answer> {
    const headers = etag === undefined ? HEADERS : { ...HEADERS, 'if-none-match': etag };
    const init = { headers, signal, redirect: 'manual', credentials: 'omit' } as const;
    const response = await this.#reach(address, async () => this.#options.fetch(address, init));
    const isUnchanged = response.status === 304 && etag !== undefined;
    if (!isUnchanged && response.status !== 200) throw await this.#refused(response, address);
    return {
      document: isUnchanged ? undefined : await this.#readJson(response, address),
      isUnchanged,
      etag: response.headers.get('etag') ?? (isUnchanged ? etag : undefined),
      age: seconds(response.headers.get('age')) ?? 0,
      maxAge: seconds(/\bmax-age="?(\d+)/i.exec(response.headers.get('cache-control') ?? '')?.[1]),
    };
  }

  /** Only what fails between the issuer and us is unreachable; any other error is a defect. */
  async #reach<Result>(address: string, step: () => Promise<Result>): Promise<Result> {
    try {
      return await step();
    } catch (error) {
      // fetch rejects with the reason of its signal.
      if (error instanceof MetadataRefreshError) throw error;
      throw failure('unreachable', address, describeThrown(error), {}, error);
    }
  }

  async #refused(response: MetadataResponse, address: string): Promise<MetadataRefreshError> {
    const { status, type, headers } = response;
    if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
      const what = describeRedirect(status, headers.get('location'), address);
      return failure('redirect', address, what, { status });
    }
    const retryAfterMs = parseRetryAfter(headers.get('retry-after'), this.#clock.now());
    const isOwn =
      status === 401 && isOwnAnswer(await this.#readJson(response, address).catch(() => undefined));
    return failure('status', address, describeRefusal(status, isOwn), {
      status,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }

  async #readJson({ body }: MetadataResponse, address: string): Promise<unknown> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const stream = body && chunksOf(body);
    for (;;) {
      const next = await this.#reach(address, async () => stream?.next());
      if (!next || next.done) break;
      // The body arrives decompressed: the limit holds for the decompressed size.
      size += next.value.byteLength;
      if (size > this.#options.maxResponseSize) {
        void stream?.return().catch(() => undefined);
        throw failure('too-large', address, `sent more than ${this.#options.maxResponseSize} bytes`);
      }
      chunks.push(next.value);
    }
    const parsed = parse(Buffer.concat(chunks), address);
    if (!parsed) throw failure('too-large', address, 'sent a document of too many members and values');
    return parsed.document;
  }
}

function parse(bytes: Uint8Array, address: string): { readonly document: unknown } | undefined {
  try {
    return parseBoundedJson(bytes);
  } catch (error) {
    throw failure('not-json', address, 'did not answer with JSON', {}, error);
  }
}

/** Without DOM types, or in older ones, a web stream is not iterable. */
async function* chunksOf(body: MetadataResponseBody): AsyncGenerator<Uint8Array, void> {
  if (Symbol.asyncIterator in body) {
    yield* body;
    return;
  }
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done || value === undefined) return;
    yield value;
  }
}

function failure(
  fault: MetadataFault,
  address: string,
  what: string,
  details: { status?: number; retryAfterMs?: number } = {},
  cause?: unknown,
): MetadataRefreshError {
  return new MetadataRefreshError(fault, `${oneLine(address, 300)} ${what}`, details, { cause });
}

/** The failure of every exchange and attempt under way when the module is closed. */
export function closed(): MetadataRefreshError {
  return new MetadataRefreshError('closed', 'The module was closed');
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(asError(signal.reason)), { once: true });
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function seconds(text: string | null | undefined): number | undefined {
  return text && /^\d{1,10}$/.test(text) ? Number(text) * 1000 : undefined;
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function parseRetryAfter(text: string | null, now: number): number | undefined {
  const delay = seconds(text);
  if (delay !== undefined || text === null) return delay;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
