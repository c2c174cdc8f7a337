import { createHash } from 'node:crypto';

/** What a request was for. Both well-known addresses are `discovery`; a retired key set's address is still `jwks`. */
export type TestIssuerEndpoint = 'discovery' | 'jwks' | 'canary' | 'other';

/** Response headers, names in any case. */
export type TestIssuerHeaders = Readonly<Record<string, string>>;

/** One HTTP answer before it is sent, and before a fault changes it. */
export interface Answer {
  readonly status: number;
  readonly headers: TestIssuerHeaders;
  readonly body: string;
}

export function jsonAnswer(document: unknown): Answer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(document) };
}

export const NOT_FOUND: Answer = {
  status: 404,
  headers: { 'content-type': 'text/plain' },
  body: 'Not Found',
};

/** Adds a strong `ETag` and answers 304 to a request whose `If-None-Match` names this body (RFC 9110 §13.1.2). */
export function conditional(answer: Answer, ifNoneMatch: string | undefined): Answer {
  if (answer.status !== 200) return answer;
  const etag = `"${createHash('sha256').update(answer.body).digest('base64url')}"`;
  const headers = { etag, ...answer.headers };
  if (!namesTag(ifNoneMatch, etag)) return { ...answer, headers };
  // RFC 9110 §15.4.5: a 304 carries no headers that describe the body.
  const kept = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-type');
  return { status: 304, headers: Object.fromEntries(kept), body: '' };
}

function namesTag(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
