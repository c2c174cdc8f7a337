import { createHash } from 'node:crypto';
import { CompactSign, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import type { Clock } from 'nestjs-resilient-auth';

/** A key pair of a scripted issuer. */
export interface ScenarioKey {
  readonly kid: string;
  readonly alg: string;
  /** As it is published. */
  readonly jwk: JWK;
  readonly privateKey: CryptoKey;
}

const keys = new Map<string, Promise<ScenarioKey>>();

/**
 * The key of this name, made once per spec file. `material` distinguishes keys that share a `kid`.
 */
export function keyOf(kid: string, { alg = 'ES256', material = '' } = {}): Promise<ScenarioKey> {
  const name = JSON.stringify([kid, alg, material]);
  const known = keys.get(name) ?? makeKey(kid, alg);
  keys.set(name, known);
  return known;
}

async function makeKey(kid: string, alg: string): Promise<ScenarioKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }, privateKey };
}

export type ScriptedEndpoint = 'discovery' | 'jwks' | 'other';

/** One call of `fetch`. */
export interface ScriptedRequest {
  readonly endpoint: ScriptedEndpoint;
  readonly url: string;
  /** Monotonic. */
  readonly at: number;
  readonly headers: Headers;
  readonly signal: AbortSignal;
}

/** Makes an answer; `honest` is the true one, with the documents of the moment the request arrived. */
export type Reply = (request: ScriptedRequest, honest: () => Response) => Response | Promise<Response>;

/** An answer kept back. */
export interface ScriptedHold {
  /** Resolves when the request is there. */
  readonly arrived: Promise<void>;
  readonly release: () => void;
}

/** An issuer inside the process: hand its `fetch` to the library. Time passes for it only on the test's clock. */
export class ScriptedIssuer {
  readonly requests: ScriptedRequest[] = [];
  /** Status of each answer given, in order. */
  readonly statuses: number[] = [];
  /** What the key set holds: keys, or any JSON. */
  published: readonly unknown[] = [];
  jwksUri: string;
  /** What the discovery document says beside or in place of the truth. */
  discovery: Readonly<Record<string, unknown>> = {};
  /** Added to the answers of the key set. */
  headers: Readonly<Record<string, string>> = {};
  /** Answers with `ETag` and 304. */
  isConditional = false;
  readonly #standing = new Map<ScriptedEndpoint, Reply>();
  readonly #next = new Map<ScriptedEndpoint, Reply[]>();

  constructor(
    readonly clock: Clock,
    readonly url = 'https://issuer.test',
  ) {
    this.jwksUri = `${url}/jwks`;
  }

  /** Fits `metadata.fetch`. */
  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const endpoint = this.#endpointAt(url);
    const request: ScriptedRequest = {
      endpoint,
      url,
      at: this.clock.monotonic(),
      headers: new Headers(init?.headers),
      signal: init?.signal ?? new AbortController().signal,
    };
    this.requests.push(request);
    const honest = this.#answerTo(request);
    const reply = this.#next.get(endpoint)?.shift() ?? this.#standing.get(endpoint);
    const response = reply ? await reply(request, honest) : honest();
    this.statuses.push(response.status);
    return response;
  };

  /** Publishes these keys and no others. */
  async publish(...kids: readonly (string | ScenarioKey)[]): Promise<void> {
    const chosen = await Promise.all(kids.map(async (kid) => (typeof kid === 'string' ? keyOf(kid) : kid)));
    this.published = chosen.map(({ jwk }) => jwk);
  }

  /** Answers like this from now on. */
  always(endpoint: 'discovery' | 'jwks' | 'all', reply: Reply): void {
    for (const one of endpointsOf(endpoint)) this.#standing.set(one, reply);
  }

  /** Answers the next request like this; called again, the one after it. */
  once(endpoint: 'discovery' | 'jwks', reply: Reply): void {
    const queue = this.#next.get(endpoint) ?? [];
    this.#next.set(endpoint, [...queue, reply]);
  }

  /** Keeps the next answer back: it is that of the moment its request arrived. */
  hold(endpoint: 'discovery' | 'jwks'): ScriptedHold {
    const arrival = deferred();
    const release = deferred();
    this.once(endpoint, async ({ signal }, honest) => {
      arrival.resolve();
      await Promise.race([release.promise, aborted(signal)]);
      return honest();
    });
    return { arrived: arrival.promise, release: release.resolve };
  }

  recover(): void {
    this.#standing.clear();
    this.#next.clear();
  }

  /** How often an endpoint was called. */
  calls(endpoint: ScriptedEndpoint): number {
    return this.requests.filter((request) => request.endpoint === endpoint).length;
  }

  /** Signs an access token with a key, published or not. */
  async sign(
    key: string | ScenarioKey,
    claims: Readonly<Record<string, unknown>> = {},
    header: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const now = Math.floor(this.clock.now() / 1000);
    const all = { iss: this.url, aud: 'api', sub: 'alice', iat: now, exp: now + 86_400, ...claims };
    return this.signText(key, JSON.stringify(all), header);
  }

  /** Signs any text as claims. */
  async signText(
    key: string | ScenarioKey,
    claims: string,
    header: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const { kid, alg, privateKey } = typeof key === 'string' ? await keyOf(key) : key;
    return new CompactSign(new TextEncoder().encode(claims))
      .setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header })
      .sign(privateKey);
  }

  #endpointAt(url: string): ScriptedEndpoint {
    if (url.includes('/.well-known/')) return 'discovery';
    return url.includes('/jwks') ? 'jwks' : 'other';
  }

  #answerTo({ endpoint, url, headers }: ScriptedRequest): () => Response {
    if (endpoint === 'other' || (endpoint === 'jwks' && url !== this.jwksUri)) {
      return () => new Response('Not Found', { status: 404 });
    }
    const document =
      endpoint === 'jwks'
        ? { keys: this.published }
        : { issuer: this.url, jwks_uri: this.jwksUri, ...this.discovery };
    const body = JSON.stringify(document);
    const extra = endpoint === 'jwks' ? this.headers : {};
    if (!this.isConditional) return () => new Response(body, { headers: extra });
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    const isUnchanged = headers.get('if-none-match') === etag;
    return () =>
      isUnchanged
        ? new Response(null, { status: 304, headers: { ...extra, etag } })
        : new Response(body, { headers: { ...extra, etag } });
  }
}

/** 200 with any body. */
export function text(body: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return () => new Response(body, { headers: { ...headers } });
}

/** 200 with any document. */
export function json(document: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return text(JSON.stringify(document), headers);
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}): Reply {
  return () => new Response('{"error":"temporarily_unavailable"}', { status: code, headers: { ...headers } });
}

/** The connection is not made. */
export function unreachable(code = 'ECONNREFUSED'): Reply {
  return () => {
    throw new TypeError('fetch failed', { cause: Object.assign(new Error(`connect ${code}`), { code }) });
  };
}

/** No answer until the caller gives up. */
export function hang(): Reply {
  return ({ signal }) => aborted(signal);
}

/** No answer, and no ear for the caller who gives up. */
export function deafHang(): Reply {
  return () => new Promise<never>(() => {});
}

/** The answer of another reply, or the true one, after a while on the clock. */
export function after(clock: Clock, milliseconds: number, reply: Reply = (_, honest) => honest()): Reply {
  return async (request, honest) => {
    const { promise, resolve } = deferred();
    const timer = clock.setTimeout(resolve, milliseconds);
    try {
      await Promise.race([promise, aborted(request.signal)]);
    } finally {
      clock.clearTimeout(timer);
    }
    return reply(request, honest);
  };
}

/** The true answer, one byte at a time. */
export function drip(clock: Clock, milliseconds: number): Reply {
  return async ({ signal }, honest) => {
    const bytes = new Uint8Array(await honest().arrayBuffer());
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { promise, resolve } = deferred();
        const timer = clock.setTimeout(resolve, milliseconds);
        try {
          await Promise.race([promise, aborted(signal)]);
          controller.enqueue(bytes.subarray(sent, ++sent));
          if (sent >= bytes.length) controller.close();
        } finally {
          clock.clearTimeout(timer);
        }
      },
    });
    return new Response(body);
  };
}

/** Half of the true answer, then the connection is gone. */
export function cutOff(): Reply {
  return async (_, honest) => {
    const bytes = new Uint8Array(await honest().arrayBuffer());
    let isSent = false;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (isSent) return controller.error(new TypeError('terminated'));
        isSent = true;
        return controller.enqueue(bytes.subarray(0, bytes.length / 2));
      },
    });
    return new Response(body);
  };
}

export function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const refuse = (): void => reject(new DOMException('This operation was aborted', 'AbortError'));
    if (signal.aborted) refuse();
    else signal.addEventListener('abort', refuse, { once: true });
  });
}

function endpointsOf(endpoint: 'discovery' | 'jwks' | 'all'): readonly ScriptedEndpoint[] {
  return endpoint === 'all' ? ['discovery', 'jwks'] : [endpoint];
}
