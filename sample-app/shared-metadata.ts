import type { IssuerOptions, MetadataStore } from 'nestjs-resilient-auth';
import type { SharedStoreSettings } from './settings.js';

/** A store that replicas of the API share, with its connection. */
export interface SharedStore {
  readonly store: MetadataStore;
  close(): Promise<void>;
}

/** Imports on demand: an API without Redis does not need the client installed. */
export async function openSharedStore({ redisUrl, integrityKey }: SharedStoreSettings): Promise<SharedStore> {
  const [{ Redis }, { RedisMetadataStore }] = await Promise.all([
    import('ioredis'),
    import('nestjs-resilient-auth/redis'),
  ]);
  const client = new Redis(redisUrl);
  // The store reports the failures of Redis itself; ioredis prints those that have no listener.
  client.on('error', () => undefined);
  const store = new RedisMetadataStore({ client, integrityKey });
  return { store, close: () => Promise.resolve(client.disconnect()) };
}

export function withStore(issuer: IssuerOptions, store: MetadataStore): IssuerOptions {
  return { ...issuer, metadata: { ...issuer.metadata, store } };
}
