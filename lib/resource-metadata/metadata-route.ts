import type { AbstractHttpAdapter } from '@nestjs/core';
import type { HttpRequestLike } from '../authentication/credentials.js';
import { WELL_KNOWN } from './well-known-url.js';

/** What the route answers; `undefined` where the path is not that of the metadata. */
export interface RouteAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | object;
}

/** @param path without the query */
type Answer = (path: string, request: HttpRequestLike) => RouteAnswer | undefined;

const METHODS = 'GET, HEAD, OPTIONS';

/** RFC 9728 §3.1: clients in a browser read it too. A request to it has no credentials, so any origin may. */
const CORS = { 'Access-Control-Allow-Origin': '*' };

const PREFLIGHT: RouteAnswer = {
  status: 204,
  headers: {
    ...CORS,
    Allow: METHODS,
    'Access-Control-Allow-Methods': METHODS,
    'Access-Control-Allow-Headers': '*',
    'Access-Control-Max-Age': '86400',
  },
};

const WRONG_METHOD: RouteAnswer = {
  status: 405,
  headers: { ...CORS, Allow: METHODS },
  body: { message: 'Method Not Allowed', statusCode: 405 },
};

const NOT_FOUND: RouteAnswer = { status: 404, body: { message: 'Not Found', statusCode: 404 } };

/**
 * Adds the routes of the metadata. The path of a resource may hold characters that are patterns to a router, and may
 * depend on the request, so that routes take any path and `answer` compares.
 */
export function addMetadataRoutes(adapter: AbstractHttpAdapter, answer: Answer): void {
  const wildcard = adapter.getType() === 'express' ? '/*path' : '/*';
  const handler = (request: HttpRequestLike, response: unknown, next?: unknown): void => {
    const found = answer(pathOf(request), request);
    if (found) return reply(adapter, response, forMethod(found, request.method));
    // Express: another route of the application may be meant.
    if (typeof next === 'function') next();
    else reply(adapter, response, NOT_FOUND);
  };
  adapter.all(WELL_KNOWN, handler);
  adapter.all(`${WELL_KNOWN}${wildcard}`, handler);
}

/** RFC 9110 §15.5.6: 405 names the methods there are. */
function forMethod(found: RouteAnswer, method: unknown): RouteAnswer {
  if (method === 'OPTIONS') return PREFLIGHT;
  if (method !== 'GET' && method !== 'HEAD') return WRONG_METHOD;
  return { ...found, headers: { ...found.headers, ...CORS } };
}

function reply(
  adapter: AbstractHttpAdapter,
  response: unknown,
  { status, headers, body }: RouteAnswer,
): void {
  for (const [name, value] of Object.entries(headers ?? {})) adapter.setHeader(response, name, value);
  adapter.reply(response, body, status);
}

/** The path of the request target, in absolute form too (RFC 9112 §3.2.2). */
function pathOf({ originalUrl, url }: HttpRequestLike): string {
  const target = originalUrl ?? url;
  const [path = ''] = typeof target === 'string' ? target.split('?') : [];
  if (path.startsWith('/') || !URL.canParse(path)) return path;
  return new URL(path).pathname;
}
