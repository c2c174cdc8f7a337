import type { Credentials, HttpRequestLike } from './credentials.js';
import { connectionOf, whenClosed } from './http/closed-connections.js';
import { isRepeated, rawHeaderValues } from './http/raw-header.js';
import { setResponseHeader } from './http/response-header.js';

/** The credentials of an HTTP request. A class without closures: one is made per request. */
export class HttpCredentials implements Credentials {
  constructor(
    readonly http: HttpRequestLike,
    /** Of the platform; without it no header can be set. */
    private readonly response?: unknown,
  ) {}

  get request(): HttpRequestLike {
    return this.http;
  }

  /** Node keeps the first of two Authorization headers and drops the rest: only the raw list has both (RFC 6750 §2). */
  get authorization(): unknown {
    const { http } = this;
    return isRepeated(http, 'authorization')
      ? rawHeaderValues(http, 'authorization')
      : http.headers?.authorization;
  }

  setHeader(name: string, value: string): void {
    setResponseHeader(this.response, name, value);
  }

  get closed(): AbortSignal | undefined {
    const connection = connectionOf(this.http);
    return connection && whenClosed(connection);
  }
}
