// Not the global one: fake timers, or jsdom, return numbers from it.
import { clearTimeout, setTimeout } from 'node:timers';
import type { Cluster, Redis } from 'ioredis';
import { asError } from '../errors/as-error.js';
import { MetadataStoreError } from '../errors/metadata.errors.js';

/** Receives the messages of a channel. A handler that throws is reported as trouble. */
export interface ChannelListener {
  /** Subscribed (again): earlier messages have been missed. */
  catchUp(): Promise<void>;
  /** Has caught up, and is still subscribed. */
  listening(): void;
  message(text: string): void;
  troubled(error: Error): void;
}

/** Milliseconds before a connection that has ended, by the retry rules of the user's client, is opened again. */
const SHORTEST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/** Subscribes to channels on a connection of its own, which is open as long as there are subscribers. */
export class Subscriber {
  readonly #listeners = new Map<string, Set<ChannelListener>>();
  /** The channels whose subscription Redis has confirmed. */
  readonly #subscribed = new Set<string>();
  #connection: Redis | Cluster | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pause = SHORTEST_PAUSE;

  constructor(private readonly client: Redis | Cluster) {}

  /** @returns a function that ends the subscription */
  subscribe(channel: string, listener: ChannelListener): () => void {
    const others = this.#listeners.get(channel);
    if (others) others.add(listener);
    else this.#listeners.set(channel, new Set([listener]));
    if (this.#connection?.status === 'ready') void this.#subscribe(this.#connection, channel);
    else if (!this.#connection && !this.#timer) this.#connect();
    return () => this.#unsubscribe(channel, listener);
  }

  #unsubscribe(channel: string, listener: ChannelListener): void {
    const listeners = this.#listeners.get(channel);
    listeners?.delete(listener);
    if (listeners?.size === 0) {
      this.#listeners.delete(channel);
      this.#subscribed.delete(channel);
      void this.#connection?.unsubscribe(channel).catch(() => undefined);
    }
    if (this.#listeners.size === 0) this.#close();
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pause = SHORTEST_PAUSE;
    this.#subscribed.clear();
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.disconnect();
  }

  #connect(): void {
    const connection = duplicate(this.client);
    this.#connection = connection;
    const isCurrent = (): boolean => connection === this.#connection;
    connection.on('ready', () => {
      if (isCurrent()) this.#subscribeAll(connection);
    });
    connection.on('error', (error: Error) => {
      if (isCurrent()) this.#report(error);
    });
    connection.on('close', () => {
      if (isCurrent()) this.#subscribed.clear();
    });
    connection.on('end', () => {
      if (!isCurrent()) return;
      this.#connection = undefined;
      this.#report(
        new MetadataStoreError('unavailable', 'The connection to Redis for subscriptions has ended'),
      );
      this.#retryLater();
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
    // A client with lazyConnect would wait for its first command.
    if (connection.status === 'wait')
      void connection.connect().catch((error: unknown) => isCurrent() && this.#report(asError(error)));
  }

  /** The user bounds the client's own attempts; a watch that has ended is started again all the same. */
  #retryLater(): void {
    if (this.#timer || this.#listeners.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#connection) this.#connect();
      else if (this.#connection.status === 'ready') this.#subscribeAll(this.#connection);
    }, this.#pause).unref();
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }

  #subscribeAll(connection: Redis | Cluster): void {
    for (const channel of this.#listeners.keys())
      if (!this.#subscribed.has(channel)) void this.#subscribe(connection, channel);
  }

  async #subscribe(connection: Redis | Cluster, channel: string): Promise<void> {
    try {
      await connection.subscribe(channel);
      if (connection !== this.#connection || !this.#listeners.has(channel)) return;
      this.#subscribed.add(channel);
      for (const listener of this.#listeners.get(channel) ?? []) {
        await listener.catchUp();
        if (this.#subscribed.has(channel)) listener.listening();
      }
      this.#pause = SHORTEST_PAUSE;
    } catch (error) {
      if (connection !== this.#connection) return;
      this.#subscribed.delete(channel);
      this.#report(asError(error), channel);
      this.#retryLater();
    }
  }

  #report(error: Error, only?: string): void {
    const concerned = only === undefined ? [...this.#listeners.values()] : [this.#listeners.get(only) ?? []];
    for (const listener of concerned.flatMap((listeners) => [...listeners])) listener.troubled(error);
  }
}

/** The two kinds of client take different options. */
function duplicate(client: Redis | Cluster): Redis | Cluster {
  // ioredis would subscribe again by itself, and a refusal would be an unhandled rejection.
  return 'nodes' in client ? client.duplicate() : client.duplicate({ autoResubscribe: false });
}
