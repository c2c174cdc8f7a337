import { subscribe } from 'node:diagnostics_channel';
import { ClientRequest } from 'node:http';

/** Not moved by the shifted clock: this file is loaded before it. */
const now = performance.now.bind(performance);
const startedAt = new Map<unknown, number>();

/** Real milliseconds since the latest HTTP call that is still unanswered was started; infinite when there is none. */
export function sinceLatestCall(): number {
  return now() - Math.max(Number.NEGATIVE_INFINITY, ...startedAt.values());
}

subscribe('http.client.request.start', (message) => {
  const request = requestOf(message);
  if (!(request instanceof ClientRequest)) return;
  startedAt.set(request, now());
  // Headers are enough: some libraries never read the body of a rejected answer, so the call never ends.
  for (const end of ['response', 'close']) request.once(end, () => startedAt.delete(request));
});
subscribe('undici:request:create', (message) => {
  startedAt.set(requestOf(message), now());
});
for (const end of ['undici:request:headers', 'undici:request:error']) {
  subscribe(end, (message) => startedAt.delete(requestOf(message)));
}

function requestOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'request' in message
    ? message.request
    : undefined;
}
