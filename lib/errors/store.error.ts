import { oneLine } from './one-line.js';

/** What was wrong with a store, or with a snapshot that it held. */
export type StoreFault =
  'unavailable' | 'timeout' | 'malformed' | 'tampered' | 'wrong-issuer' | 'too-old' | 'outdated';

/** The store did not do what it is for. Never leaves the library except in events and `status()`: no request fails by it. */
export class MetadataStoreError extends Error {
  override readonly name = 'MetadataStoreError';

  constructor(
    readonly fault: StoreFault,
    message: string,
    options?: ErrorOptions,
  ) {
    super(oneLine(message), options);
  }
}
