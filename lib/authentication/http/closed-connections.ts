import { EventEmitter } from 'node:events';
import type { HttpRequestLike } from '../credentials.js';

/** One per connection: thousands of requests may be pipelined on one, and each listener would be one more. */
const signals = new WeakMap<EventEmitter, AbortSignal>();

/** What closes when the client of a request is gone: its HTTP/2 stream, or its socket. */
export function connectionOf(http: HttpRequestLike): EventEmitter | undefined {
  const { stream, socket } = http.raw ?? http;
  if (stream instanceof EventEmitter) return stream;
  return socket instanceof EventEmitter ? socket : undefined;
}

/** Returns a signal that aborts when the connection closes. */
export function whenClosed(connection: EventEmitter & { readonly destroyed?: boolean }): AbortSignal {
  const known = signals.get(connection);
  if (known) return known;
  const controller = new AbortController();
  signals.set(connection, controller.signal);
  if (connection.destroyed) controller.abort();
  else connection.once('close', () => controller.abort());
  return controller.signal;
}
