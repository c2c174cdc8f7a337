/** Node's request, as far as it is read. */
export interface NodeRequestLike {
  readonly method?: unknown;
  /** The request target as it was sent (RFC 9112 §3.2); middleware of Express may change it. */
  readonly url?: unknown;
  readonly headers?: { readonly authorization?: unknown };
  /** Names and values in turns, as they were sent: Node joins or drops duplicates everywhere else. */
  readonly rawHeaders?: readonly string[];
  readonly socket?: unknown;
  /** Of HTTP/2: one request of a connection. */
  readonly stream?: unknown;
}

/** An HTTP request as a platform hands it over: what extractors, proofs of possession and certificates are read from. */
export interface HttpRequestLike extends NodeRequestLike {
  /** Of Express and Fastify: the request target as it was sent. */
  readonly originalUrl?: unknown;
  /** Fastify keeps Node's request here. */
  readonly raw?: NodeRequestLike;
}

/** What one operation carries to prove who calls, in the same form for every transport. */
export interface Credentials {
  /**
   * The value of `Authorization`: `Bearer <token>`. A list when the caller sent several, which is refused. Anything that
   * is no string is refused as malformed; `undefined` and the empty string count as absent. A transport that carries a
   * bare token puts `Bearer ` in front of it.
   */
  readonly authorization: unknown;
  /** Passed to `validate` as `request`. */
  readonly request: unknown;
  /**
   * The HTTP request that this operation came with, when there is one. `jwtFromRequest`, proofs of possession and client
   * certificates read it; without it those that are required cannot be met.
   */
  readonly http?: HttpRequestLike | undefined;
  /**
   * The request that opens a connection, at its handshake: a proof of possession is read from it. Not `http`, so that no
   * `jwtFromRequest` reads a cookie off a WebSocket.
   */
  readonly upgrade?: HttpRequestLike | undefined;
  /**
   * The key (`cnf.jkt`) that the connection of this operation has been proven to hold, where the operation itself came with
   * no HTTP request: a message over a WebSocket whose upgrade carried a proof.
   */
  readonly provenKey?: string | undefined;
  /** Aborts when the caller is gone. Read only by operations that wait for a refresh, so a getter may do the work. */
  readonly closed?: AbortSignal | undefined;
  /** Sets a header of the answer, where the transport has them. */
  setHeader?(name: string, value: string): void;
}
