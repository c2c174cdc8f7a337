import { MetadataRefreshError, type MetadataFault } from '../../errors/metadata.errors.js';
import type { Clock } from '../../time/clock.js';

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
  readonly fetch: typeof globalThis.fetch;
  readonly timeout: number;
  readonly maxResponseSize: number;
}

const HEADERS = {
  accept: 'application/json, application/jwk-set+json;q=0.9',
  // Shared caches resurrect withdrawn keys.
  'cache-control': 'no-cache',
  'user-agent': 'nestjs-resilient-auth',
};
const utf8 = new TextDecoder('utf-8', { fatal: true });

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
    } catch (error) {
      if (error instanceof MetadataRefreshError) throw error;
      throw failure('unreachable', address, describe(error), {}, error);
    } finally {
      this.#clock.clearTimeout(timer);
      this.#closing.removeEventListener('abort', close);
      exchange.abort();
    }
  }

  async #exchange(address: string, etag: string | undefined, signal: AbortSignal): Promise<Answer> {
    const headers = etag === undefined ? HEADERS : { ...HEADERS, 'if-none-match': etag };
    const response = await this.#options.fetch(address, {
      headers,
      signal,
      redirect: 'manual',
      credentials: 'omit',
    });
    const isUnchanged = response.status === 304 && etag !== undefined;
    if (!isUnchanged && response.status !== 200) throw this.#refused(response, address);
    return {
      document: isUnchanged ? undefined : await this.#readJson(response, address),
      isUnchanged,
      etag: response.headers.get('etag') ?? (isUnchanged ? etag : undefined),
      age: seconds(response.headers.get('age')) ?? 0,
      maxAge: seconds(/\bmax-age="?(\d+)/i.exec(response.headers.get('cache-control') ?? '')?.[1]),
    };
  }

  #refused(response: Response, address: string): MetadataRefreshError {
    const { status, type } = response;
    if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
      return failure('redirect', address, `answered ${status}; redirects are not followed`, { status });
    }
    const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), this.#clock.now());
    return failure('status', address, `answered ${status}`, {
      status,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }

  async #readJson(response: Response, address: string): Promise<unknown> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    // The body arrives decompressed: the limit holds for the decompressed size.
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > this.#options.maxResponseSize) {
        throw failure('too-large', address, `sent more than ${this.#options.maxResponseSize} bytes`);
      }
      chunks.push(chunk);
    }
    try {
      return JSON.parse(utf8.decode(Buffer.concat(chunks)));
    } catch (error) {
      throw failure('not-json', address, 'did not answer with JSON', {}, error);
    }
  }
}

function failure(
  fault: MetadataFault,
  address: string,
  what: string,
  details: { status?: number; retryAfterMs?: number } = {},
  cause?: unknown,
): MetadataRefreshError {
  return new MetadataRefreshError(fault, `${address} ${what}`, details, { cause });
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

/** fetch hides the reason ("connect ECONNREFUSED …") in the cause. */
function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'could not be reached';
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
  return `could not be reached: ${cause.message || code}`;
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
