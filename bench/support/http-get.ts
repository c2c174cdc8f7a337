import { Agent, request } from 'node:http';

/** How a request ended: `status` is `undefined` when no answer came. */
export interface Reply {
  readonly status: number | undefined;
  /** Real milliseconds. */
  readonly took: number;
}

/** Keep-alive connections, as behind a load balancer. */
export function connections(): Agent {
  return new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 256 });
}

/** One GET on loopback, with a bearer token if there is one; never rejects. */
export function get(
  agent: Agent,
  port: number,
  token: string | undefined,
  signal?: AbortSignal,
): Promise<Reply> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const end = (status: number | undefined): void => resolve({ status, took: performance.now() - begun });
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    request({ agent, port, host: '127.0.0.1', path: '/', headers, ...(signal && { signal }) }, (response) => {
      response.resume();
      response.once('close', () => end(response.complete ? response.statusCode : undefined));
    })
      .once('error', () => end(undefined))
      .end();
  });
}
