import type { Cluster, Redis } from 'ioredis';
import { asError } from '../errors/as-error.js';
import { MetadataStoreError } from '../errors/store.error.js';

/** What comes of a channel. A handler that throws is told as trouble. */
export interface ChannelListener {
  /** Subscribed (again): what was said before has been missed. */
  catchUp(): Promise<void>;
  /** Has caught up, and is still subscribed. */
  listening(): void;
  message(text: string): void;
  troubled(error: Error): void;
}

/** Milliseconds before what has failed for good, by the rules of the user's client, is tried again. */
const SHORTEST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/** Listens to channels on a connection of its own, which lives as long as somebody listens. */
export class Subscriber {
  readonly #listeners = new Map<string, Set<ChannelListener>>();
  /** The channels that are really subscribed. */
  readonly #heard = new Set<string>();
  #connection: Redis | Cluster | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pause = SHORTEST_PAUSE;

  constructor(private readonly client: Redis | Cluster) {}

  /** @returns ends it */
  subscribe(channel: string, listener: ChannelListener): () => void {
    const others = this.#listeners.get(channel);
    if (others) others.add(listener);
    else this.#listeners.set(channel, new Set([listener]));
    if (this.#connection?.status === 'ready') void this.#listen(this.#connection, channel);
    else if (!this.#connection && !this.#timer) this.#connect();
    return () => this.#unsubscribe(channel, listener);
  }

  #unsubscribe(channel: string, listener: ChannelListener): void {
    const listeners = this.#listeners.get(channel);
    listeners?.delete(listener);
    if (listeners?.size === 0) {
      this.#listeners.delete(channel);
      this.#heard.delete(channel);
      void this.#connection?.unsubscribe(channel).catch(() => undefined);
    }
    if (this.#listeners.size === 0) this.#close();
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pause = SHORTEST_PAUSE;
    this.#heard.clear();
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.disconnect();
  }

  #connect(): void {
    const connection = duplicate(this.client);
    this.#connection = connection;
    const isMine = (): boolean => connection === this.#connection;
    connection.on('ready', () => {
      if (isMine()) this.#listenToAll(connection);
    });
    connection.on('error', (error: Error) => {
      if (isMine()) this.#tell(error);
    });
    connection.on('close', () => {
      if (isMine()) this.#heard.clear();
    });
    connection.on('end', () => {
      if (!isMine()) return;
      this.#connection = undefined;
      this.#tell(new MetadataStoreError('unavailable', 'The connection to Redis that listens has ended'));
      this.#tryLater();
    });
    connection.on('message', (channel: string, text: string) => {
      for (const listener of this.#listeners.get(channel) ?? []) {
        try {
          listener.message(text);
        } catch (error) {
          listener.troubled(asError(error));
        }
      }
    });
    // A client that connects with its first command would wait for one in vain.
    if (connection.status === 'wait')
      void connection.connect().catch((error: unknown) => isMine() && this.#tell(asError(error)));
  }

  /** The client's own attempts are the user's to bound: a watch that has ended comes back all the same. */
  #tryLater(): void {
    if (this.#timer || this.#listeners.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#connection) this.#connect();
      else if (this.#connection.status === 'ready') this.#listenToAll(this.#connection);
    }, this.#pause).unref();
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }

  #listenToAll(connection: Redis | Cluster): void {
    for (const channel of this.#listeners.keys())
      if (!this.#heard.has(channel)) void this.#listen(connection, channel);
  }

  async #listen(connection: Redis | Cluster, channel: string): Promise<void> {
    try {
      await connection.subscribe(channel);
      if (connection !== this.#connection || !this.#listeners.has(channel)) return;
      this.#heard.add(channel);
      for (const listener of this.#listeners.get(channel) ?? []) {
        await listener.catchUp();
        if (this.#heard.has(channel)) listener.listening();
      }
      this.#pause = SHORTEST_PAUSE;
    } catch (error) {
      if (connection !== this.#connection) return;
      this.#heard.delete(channel);
      this.#tell(asError(error), channel);
      this.#tryLater();
    }
  }

  #tell(error: Error, only?: string): void {
    const concerned = only === undefined ? [...this.#listeners.values()] : [this.#listeners.get(only) ?? []];
    for (const listener of concerned.flatMap((listeners) => [...listeners])) listener.troubled(error);
  }
}

/** The two kinds of client do not agree on what else may be said. */
function duplicate(client: Redis | Cluster): Redis | Cluster {
  // ioredis would subscribe again by itself, and a refusal would be a rejection that nobody can handle.
  return 'nodes' in client ? client.duplicate() : client.duplicate({ autoResubscribe: false });
}
