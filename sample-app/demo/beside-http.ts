import { io, type Socket } from 'socket.io-client';
import { Traffic } from '../traffic/traffic.js';
import { Figures } from './figures.js';

const perSecond = 10;
/** Milliseconds until a client gives up on an answer. */
const patience = 30_000;

/** GraphQL queries and messages over one open WebSocket, through all phases. A dropped connection counts as refused. */
export class BesideHttp {
  readonly queries = new Figures('all along: GraphQL queries');
  readonly messages = new Figures('all along: one open WebSocket');
  readonly #traffic = [
    new Traffic(perSecond, () => this.#count(this.queries, () => this.#query())),
    new Traffic(perSecond, () => this.#count(this.messages, () => this.#message())),
  ];
  #socket: Socket | undefined;
  #token = '';

  constructor(private readonly api: string) {}

  /** Connects once; later the open connection gets the newer token. */
  async start(token: string): Promise<void> {
    this.#token = token;
    if (this.#socket) await this.#socket.timeout(patience).emitWithAck('auth:renew', token);
    else await this.#connect(token);
    for (const traffic of this.#traffic) traffic.start();
  }

  /** Sends no more, and resolves when all that was sent is answered. */
  async stop(): Promise<void> {
    await Promise.all(this.#traffic.map((traffic) => traffic.stop()));
  }

  async close(): Promise<void> {
    await this.stop();
    this.#socket?.off('disconnect').disconnect();
  }

  #connect(token: string): Promise<void> {
    const socket = io(this.api, {
      path: '/live',
      auth: { token },
      transports: ['websocket'],
      reconnection: false,
    });
    this.#socket = socket.on('disconnect', () => (this.messages.refused += 1));
    return new Promise((resolve, reject) => {
      socket.once('connect', resolve).once('connect_error', reject);
    });
  }

  async #count(figures: Figures, send: () => Promise<boolean>): Promise<void> {
    const startedAt = performance.now();
    const isServed = await send().catch(() => false);
    figures.countValid({ status: isServed ? 200 : 0, milliseconds: performance.now() - startedAt });
  }

  async #query(): Promise<boolean> {
    const response = await fetch(`${this.api}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: '{"query":"{ orders { id } }"}',
      signal: AbortSignal.timeout(patience),
    });
    const answer: unknown = await response.json();
    return typeof answer === 'object' && answer !== null && !('errors' in answer);
  }

  async #message(): Promise<boolean> {
    const count: unknown = await this.#socket?.timeout(patience).emitWithAck('orders.count');
    return typeof count === 'number';
  }
}
