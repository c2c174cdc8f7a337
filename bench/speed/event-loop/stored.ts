import { NestFactory } from '@nestjs/core';
import {
  AuthModule,
  MetadataProvider,
  type StoredMetadata,
  type StoreListener,
  type WatchableMetadataStore,
} from 'nestjs-resilient-auth';
import { filter, firstValueFrom } from 'rxjs';
import { issuerOptions } from '../resilient-auth.js';
import type { Trust } from '../tokens/issuer-process.js';

/** A store through which another replica reports what it has read. */
class ReportingStore implements WatchableMetadataStore {
  #listener: StoreListener | undefined;

  async load(): Promise<undefined> {
    return undefined;
  }

  async save(): Promise<void> {}

  watch(_issuer: string, listener: StoreListener): () => void {
    this.#listener = listener;
    return () => undefined;
  }

  report(metadata: StoredMetadata): void {
    this.#listener?.received(metadata);
  }
}

/**
 * Starts an application with a store.
 *
 * @returns reports a key set as another replica does, and settles when it has been adopted
 */
export async function reportsTo(trust: Trust): Promise<(keySet: string) => Promise<void>> {
  const store = new ReportingStore();
  const options = issuerOptions(trust);
  const module = AuthModule.forRoot({
    ...options,
    algorithms: ['ES256', 'ES512', 'RS256'],
    metadata: { ...options.metadata, store },
  });
  const app = await NestFactory.createApplicationContext(module, { logger: false });
  const provider = app.get(MetadataProvider);
  return async (keySet) => {
    const adopted = firstValueFrom(provider.events$.pipe(filter(({ type }) => type === 'snapshot-received')));
    const { keys }: Pick<StoredMetadata, 'keys'> = JSON.parse(keySet);
    store.report({ issuer: trust.issuer, jwksUri: trust.jwksUri, keys, checkedAt: Date.now() });
    await adopted;
  };
}
