import { Agent, request } from 'node:http';

/** A header in which an API says what has refused a request, when it is not the token. */
export const refusedByHeader = 'x-refused-by';

/** One answer, or the lack of one. */
export interface Answer {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly milliseconds: number;
  /** What the API says in {@link refusedByHeader}. */
  readonly refusedBy?: string | undefined;
}

/** Milliseconds until a client gives up on an answer. */
const patience = 30_000;

/** Clients and attackers have connections of their own: neither waits for those of the other. */
export type Caller = 'client' | 'attacker';
const agents: Readonly<Record<Caller, Agent>> = {
  client: new Agent({ keepAlive: true, maxSockets: Infinity }),
  attacker: new Agent({ keepAlive: true, maxSockets: Infinity }),
};

/** Sends one GET request with a bearer token. Never rejects: a failed request is an answer with status 0. */
export async function ask(url: string, token: string, caller: Caller = 'client'): Promise<Answer> {
  const startedAt = performance.now();
  const answer = await send(url, token, agents[caller]).catch(() => ({ status: 0 }));
  return { ...answer, milliseconds: performance.now() - startedAt };
}

function send(url: string, token: string, agent: Agent): Promise<Omit<Answer, 'milliseconds'>> {
  return new Promise((resolve, reject) => {
    const options = { agent, timeout: patience, headers: { Authorization: `Bearer ${token}` } };
    const outgoing = request(url, options, (response) => {
      const { statusCode = 0, headers } = response;
      const refusedBy = headers[refusedByHeader]?.toString();
      response
        .resume()
        .once('close', () => resolve(response.complete ? { status: statusCode, refusedBy } : { status: 0 }));
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('No answer in time')));
    outgoing.once('error', (error: NodeJS.ErrnoException) => {
      // The server closed an idle connection at the moment it was used again: no fault of either.
      const isStale = outgoing.reusedSocket && error.code === 'ECONNRESET';
      if (isStale) resolve(send(url, token, agent));
      else reject(error);
    });
    outgoing.end();
  });
}

/** Closes the connections that are kept alive, so that the process can end. */
export function closeConnections(): void {
  for (const agent of Object.values(agents)) agent.destroy();
}
