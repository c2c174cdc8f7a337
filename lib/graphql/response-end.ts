import { subscribe } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';

const ended = new WeakSet<object>();
let isObserving = false;

/**
 * Starts to record which HTTP requests have been answered. Node publishes it for the whole process; what is recorded is
 * only that a request is over, which is true for every application in it.
 */
export function observeResponses(): void {
  if (isObserving) return;
  isObserving = true;
  subscribe('http.server.response.finish', (message) => {
    if (typeof message === 'object' && message !== null && 'request' in message && isObject(message.request))
      ended.add(message.request);
  });
}

/** Whether a request of Node, or one of a platform that keeps Node's in `raw`, has been answered. */
export function isAnswered(request: { readonly raw?: unknown }): boolean {
  const raw = request.raw ?? request;
  return isObject(raw) && ended.has(raw);
}

/** Whether the client of a request has closed the connection. */
export function isGone(request: { readonly raw?: unknown }): boolean {
  const raw = request.raw ?? request;
  return raw instanceof IncomingMessage && raw.socket.destroyed;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
