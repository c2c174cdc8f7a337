import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import type { Credentials } from '../../authentication/credentials.js';

/** By Node's request. */
const responses = new WeakMap<object, ServerResponse>();
let isObserving = false;

/**
 * Starts to record which response belongs to a request of Node: GraphQL servers, such as Apollo on Fastify, hand the
 * request alone to their resolvers. Node publishes it for the whole process; nothing is called without the option `nonce`.
 */
export function observeResponses(): void {
  if (isObserving) return;
  isObserving = true;
  subscribe('http.server.request.start', (message) => {
    if (isExchange(message)) responses.set(message.request, message.response);
  });
}

/**
 * Sends a nonce with the answer, also with one that is accepted. RFC 9449 §8.2: such an answer must not be kept and served
 * again.
 */
export function sendNonce(credentials: Credentials, nonce: string): void {
  const { http } = credentials;
  const response = http && responses.get(http.raw ?? http);
  for (const [name, value] of Object.entries({ 'DPoP-Nonce': nonce, 'Cache-Control': 'no-store' })) {
    if (!response) credentials.setHeader?.(name, value);
    else if (!response.headersSent) response.setHeader(name, value);
  }
}

function isExchange(message: unknown): message is { request: object; response: ServerResponse } {
  return typeof message === 'object' && message !== null && 'request' in message && 'response' in message;
}
