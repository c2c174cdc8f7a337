import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { attachToken } from 'nestjs-resilient-auth/microservices';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { lastValueFrom } from 'rxjs';
import { WebSocket } from 'ws';

/** Which of the two handlers is called. */
export type Handler = 'open' | 'known';

/** Clients of one context, one operation at a time each. */
export interface Callers {
  readonly name: string;
  /** One per client: sends one operation and waits for its answer. */
  readonly calls: readonly ((handler: Handler) => Promise<void>)[];
  close(): void;
}

/** Where the service listens, and what is sent to it. */
export interface Target {
  readonly http: number;
  readonly messages: number;
  readonly token: string;
  readonly clients: number;
}

export function graphql({ http: port, token, clients }: Target): Callers {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const post = async (handler: Handler): Promise<void> => {
    const body = JSON.stringify({ query: `{ ${handler} }` });
    const sent = request({ agent, host: '127.0.0.1', port, path: '/graphql', method: 'POST', headers }).end(
      body,
    );
    const [response] = await once(sent, 'response');
    let text = '';
    for await (const chunk of response) text += String(chunk);
    if (!text.includes('hello')) throw new Error(`GraphQL answered ${text}`);
  };
  return {
    name: 'GraphQL query (Apollo on Express)',
    calls: Array.from({ length: clients }, () => post),
    close: () => agent.destroy(),
  };
}

export async function webSockets({ http: port, token, clients }: Target): Promise<Callers> {
  const headers = { authorization: `Bearer ${token}` };
  const sockets = Array.from(
    { length: clients },
    () => new WebSocket(`ws://127.0.0.1:${port}/live`, { headers }),
  );
  await Promise.all(sockets.map((socket) => once(socket, 'open')));
  return {
    name: 'WebSocket message (ws)',
    calls: sockets.map((socket) => async (handler) => {
      socket.send(JSON.stringify({ event: handler, data: 'x' }));
      const [answer] = await once(socket, 'message');
      if (!String(answer).includes('hello')) throw new Error(`The gateway answered ${String(answer)}`);
    }),
    close: () => {
      for (const socket of sockets) socket.terminate();
    },
  };
}

export async function messages({ messages: port, token, clients }: Target): Promise<Callers> {
  const client = ClientProxyFactory.create({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port },
  });
  attachToken(client, () => token);
  await client.connect();
  const send = async (handler: Handler): Promise<void> => {
    const answer: unknown = await lastValueFrom(client.send(handler, {}));
    if (answer !== 'hello') throw new Error(`The handler answered ${String(answer)}`);
  };
  return {
    name: 'microservice message (TCP)',
    calls: Array.from({ length: clients }, () => send),
    close: () => void client.close(),
  };
}
