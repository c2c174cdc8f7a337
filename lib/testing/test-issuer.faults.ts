import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { Duration } from '../metadata/metadata-options.js';
import {
  conditional,
  type Answer,
  type TestIssuerEndpoint,
  type TestIssuerHeaders,
} from './test-issuer.answers.js';
import { milliseconds } from './test-issuer.tokens.js';

/**
 * What goes wrong:
 *
 * - `refuse`: the connection is reset. For a port that refuses connections, `close()` the issuer.
 * - `hang`: no answer, until `recover()` or `close()` cuts the connection.
 * - `html`: 200 and a login page, as from a captive portal.
 * - `empty`: `{}` for discovery, `{"keys":[]}` for the key set.
 * - `truncated`: the first half of the JSON, with a `Content-Length` that matches it.
 * - `cut-off`: the first half of what `Content-Length` promised, then the connection is closed.
 * - `wrong-issuer`: discovery names another issuer. The key set names no issuer and stays as it is.
 * - `endless`: JSON that never ends, as fast as the client reads.
 * - `drip`: the true answer, one byte every 100 ms.
 * - `redirect`: 302 to the same document under `/canary`; a client that follows it appears in `requests` as `canary`.
 * - `gzip-bomb`: a few kilobytes that unpack to the true answer and 64 MiB of padding.
 * - `{ status, retryAfter }`: that status; `retryAfter` in seconds, or an HTTP date.
 * - `{ slow }`: the true answer after a real delay. `hold()` does it without waiting.
 * - `{ body }`: 200 and this as `application/json`.
 */
export type TestIssuerFault =
  | 'refuse'
  | 'hang'
  | 'html'
  | 'empty'
  | 'truncated'
  | 'cut-off'
  | 'wrong-issuer'
  | 'endless'
  | 'drip'
  | 'redirect'
  | 'gzip-bomb'
  | { readonly status: number; readonly retryAfter?: number | string | undefined }
  | { readonly slow: Duration }
  | { readonly body: string };

/** One request and the answer it would get if nothing were wrong. */
export interface Exchange {
  readonly endpoint: TestIssuerEndpoint;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly answer: Answer;
}

const DRIP_MS = 100;
const BOMB_MIB = 64;
const LOGIN_PAGE =
  '<!doctype html><title>Sign in</title><form><input name="user"><input name="password"></form>';

/** Rejects a faulty order when it is given, not when a request arrives. */
export function checkFault(fault: TestIssuerFault): void {
  if (typeof fault === 'object' && 'slow' in fault) milliseconds(fault.slow);
}

/** Answers one request, as the fault demands. The caller handles `hang`, because it keeps the socket. */
export function reply(exchange: Exchange, fault: Exclude<TestIssuerFault, 'hang'> | undefined): void {
  const { endpoint, request, response, answer } = exchange;
  if (fault === undefined) return send(response, conditional(answer, request.headers['if-none-match']));
  if (typeof fault === 'object') return replyAs(exchange, fault);
  switch (fault) {
    case 'refuse':
      request.socket.resetAndDestroy();
      return;
    case 'html':
      return send(
        response,
        but(answer, { status: 200, headers: { 'content-type': 'text/html' }, body: LOGIN_PAGE }),
      );
    case 'empty':
      return send(response, but(answer, { status: 200, body: endpoint === 'jwks' ? '{"keys":[]}' : '{}' }));
    case 'truncated':
      return send(response, but(answer, { body: firstHalf(answer.body) }));
    case 'cut-off':
      return cutOff(exchange);
    case 'wrong-issuer':
      return endpoint === 'discovery' ? send(response, withOtherIssuer(answer)) : reply(exchange, undefined);
    case 'endless':
      return stream(response, answer, endless(answer.body));
    case 'drip':
      return drip(response, answer);
    case 'redirect':
      return send(
        response,
        but(answer, { status: 302, headers: { location: `/canary/${endpoint}` }, body: '' }),
      );
    case 'gzip-bomb':
      return stream(
        response,
        but(answer, { headers: { 'content-encoding': 'gzip' } }),
        padded(answer.body),
        createGzip(),
      );
  }
}

function replyAs(exchange: Exchange, fault: Extract<TestIssuerFault, object>): void {
  const { response, answer } = exchange;
  if ('body' in fault) return send(response, but(answer, { status: 200, body: fault.body }));
  if ('slow' in fault) {
    const timer = setTimeout(() => reply(exchange, undefined), milliseconds(fault.slow)).unref();
    response.once('close', () => clearTimeout(timer));
    return;
  }
  const { status, retryAfter } = fault;
  const headers: TestIssuerHeaders = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  return send(response, but(answer, { status, headers, body: '{"error":"temporarily_unavailable"}' }));
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const length = status === 304 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...length, ...headers }).end(body);
}

/** The answer with some of it changed; headers are laid over. */
function but(answer: Answer, change: Partial<Answer>): Answer {
  return { ...answer, ...change, headers: { ...answer.headers, ...change.headers } };
}

function firstHalf(body: string): string {
  return body.slice(0, Math.floor(body.length / 2));
}

function withOtherIssuer(answer: Answer): Answer {
  if (answer.status !== 200) return answer;
  const document: unknown = JSON.parse(answer.body, (name, value: unknown) =>
    name === 'issuer' ? 'https://impostor.example' : value,
  );
  return but(answer, { body: JSON.stringify(document) });
}

function cutOff({ request, response, answer }: Exchange): void {
  const headers = { ...answer.headers, 'content-length': Buffer.byteLength(answer.body) };
  response.writeHead(answer.status, headers);
  // A reset would overtake what is still on its way; an end delivers the half first.
  response.write(firstHalf(answer.body), () => request.socket.destroy());
}

function drip(response: ServerResponse, { status, headers, body }: Answer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'content-length': bytes.length });
  let sent = 0;
  const next = (): void => {
    response.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent >= bytes.length) response.end();
  };
  next();
  const timer = setInterval(next, DRIP_MS).unref();
  response.once('close', () => clearInterval(timer));
}

/** Streams as fast as the client reads, and stops when it disconnects. */
function stream(
  response: ServerResponse,
  { status, headers }: Answer,
  chunks: Iterable<string | Uint8Array>,
  encoder?: NodeJS.ReadWriteStream,
): void {
  response.writeHead(status, headers);
  const source = Readable.from(chunks);
  if (encoder) pipeline(source, encoder, response, clientLeft);
  else pipeline(source, response, clientLeft);
}

/** Ignores the end of a stream; `pipeline` has cleaned up by itself. */
function clientLeft(): void {}

function* endless(body: string): Generator<string> {
  yield body.slice(0, -1);
  for (let member = 0; ; member += 1) yield `,"x_${member}":"${'0'.repeat(16_384)}"`;
}

function* padded(body: string): Generator<string | Uint8Array> {
  yield `${body.slice(0, -1)},"padding":"`;
  // One piece of memory again and again: what grows under it is the reader's.
  const padding = Buffer.alloc(1_048_576, '0');
  for (let mebibyte = 0; mebibyte < BOMB_MIB; mebibyte += 1) yield padding;
  yield '"}';
}
