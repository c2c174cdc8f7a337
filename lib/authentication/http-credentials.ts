import type { Credentials, HttpRequestLike } from './credentials.js';

const NAME = 'authorization';

/** The credentials of an HTTP request. A class without closures: one is made per request. */
export class HttpCredentials implements Credentials {
  constructor(readonly http: HttpRequestLike) {}

  get request(): HttpRequestLike {
    return this.http;
  }

  /** Node keeps the first of two Authorization headers and drops the rest: only the raw list has both (RFC 6750 §2). */
  get authorization(): unknown {
    const { http } = this;
    const raw = http.rawHeaders ?? http.raw?.rawHeaders;
    return raw && hasSeveral(raw) ? valuesIn(raw) : http.headers?.authorization;
  }
}

function hasSeveral(raw: readonly string[]): boolean {
  let seen = 0;
  for (let i = 0; i < raw.length; i += 2) if (isAuthorization(raw[i])) seen++;
  return seen > 1;
}

function valuesIn(raw: readonly string[]): readonly string[] {
  return raw.filter((_, index) => index % 2 === 1 && isAuthorization(raw[index - 1]));
}

function isAuthorization(name: string | undefined): boolean {
  return name?.length === NAME.length && name.toLowerCase() === NAME;
}
