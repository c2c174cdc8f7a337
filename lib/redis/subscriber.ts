import type { Cluster, Redis } from 'ioredis';

/** What comes of a channel. A handler that throws is told as trouble. */
export interface ChannelListener {
  /** Listening (again): what was said before has been missed. */
  subscribed(): Promise<void>;
  message(text: string): void;
  troubled(error: Error): void;
}

/** Listens to channels on a connection of its own, which lives as long as somebody listens. */
export class Subscriber {
  readonly #listeners = new Map<string, Set<ChannelListener>>();
  #connection: Redis | Cluster | undefined;

  constructor(private readonly client: Redis | Cluster) {}

  /** @returns ends it */
  subscribe(channel: string, listener: ChannelListener): () => void {
    const others = this.#listeners.get(channel);
    if (others) others.add(listener);
    else this.#listeners.set(channel, new Set([listener]));
    this.#connection ??= this.#connect();
    if (this.#connection.status === 'ready') void this.#listen(this.#connection, channel);
    return () => this.#unsubscribe(channel, listener);
  }

  #unsubscribe(channel: string, listener: ChannelListener): void {
    const listeners = this.#listeners.get(channel);
    listeners?.delete(listener);
    if (listeners?.size === 0) {
      this.#listeners.delete(channel);
      void this.#connection?.unsubscribe(channel).catch(() => undefined);
    }
    if (this.#listeners.size > 0) return;
    this.#connection?.disconnect();
    this.#connection = undefined;
  }

  #connect(): Redis | Cluster {
    const connection = duplicate(this.client);
    connection.on('ready', () => {
      for (const channel of this.#listeners.keys()) void this.#listen(connection, channel);
    });
    connection.on('error', (error: Error) => this.#tell(error));
    connection.on('message', (channel: string, text: string) => {
      for (const listener of this.#listeners.get(channel) ?? []) {
        try {
          listener.message(text);
        } catch (error) {
          listener.troubled(asError(error));
        }
      }
    });
    // As lazy as its model: nobody but this would ever call it to work. Failures come as events.
    if (connection.status === 'wait') void connection.connect().catch(() => undefined);
    // A client that connects with its first command would wait for one in vain.
    if (connection.status === 'wait') void connection.connect().catch((error) => this.#tell(asError(error)));
    return connection;
  }

  async #listen(connection: Redis | Cluster, channel: string): Promise<void> {
    try {
      await connection.subscribe(channel);
      for (const listener of this.#listeners.get(channel) ?? []) {
        await listener.subscribed().catch((error: unknown) => listener.troubled(asError(error)));
      }
    } catch (error) {
      if (connection === this.#connection) this.#tell(asError(error), channel);
    }
  }

  #tell(error: Error, only?: string): void {
    const concerned = only === undefined ? [...this.#listeners.values()] : [this.#listeners.get(only) ?? []];
    for (const listener of concerned.flatMap((listeners) => [...listeners])) listener.troubled(error);
  }
}

/** The two kinds of client do not agree on what else may be said. */
function duplicate(client: Redis | Cluster): Redis | Cluster {
  return 'nodes' in client ? client.duplicate() : client.duplicate();
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
