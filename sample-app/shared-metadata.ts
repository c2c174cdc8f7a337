import type { IssuerOptions, MetadataStore } from 'nestjs-resilient-auth';
import type { SharedStoreSettings } from './settings.js';

/** A store that instances of the API share, and how to leave it. */
export interface SharedStore {
  readonly store: MetadataStore;
  close(): Promise<void>;
}

/** Loaded on demand: an API without Redis does not need its client. */
export async function openSharedStore({ redisUrl, integrityKey }: SharedStoreSettings): Promise<SharedStore> {
  const [{ Redis }, { RedisMetadataStore }] = await Promise.all([
    import('ioredis'),
    import('nestjs-resilient-auth/redis'),
  ]);
  const client = new Redis(redisUrl);
  // The store tells when Redis is away, and works on without it; the client must be listened to, all the same.
  client.on('error', () => undefined);
  const store = new RedisMetadataStore({ client, integrityKey });
  return { store, close: () => Promise.resolve(client.disconnect()) };
}

export function withStore(issuer: IssuerOptions, store: MetadataStore): IssuerOptions {
  return { ...issuer, metadata: { ...issuer.metadata, store } };
}
