import { Agent, request } from 'node:http';

/** One answer, or the lack of one. */
export interface Answer {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly milliseconds: number;
}

/** Milliseconds until a client gives up on an answer. */
const patience = 30_000;
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

/** Sends one GET request with a bearer token. Never rejects: a failed request is an answer with status 0. */
export function ask(url: string, token: string): Promise<Answer> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const settle = (status: number): void => resolve({ status, milliseconds: performance.now() - startedAt });
    const outgoing = request(
      url,
      { agent, timeout: patience, headers: { Authorization: `Bearer ${token}` } },
      (response) => {
        response.resume().once('close', () => settle(response.complete ? (response.statusCode ?? 0) : 0));
      },
    );
    outgoing.once('timeout', () => outgoing.destroy());
    outgoing.once('error', () => settle(0));
    outgoing.end();
  });
}

/** Closes the connections that are kept alive, so that the process can end. */
export function closeConnections(): void {
  agent.destroy();
}
