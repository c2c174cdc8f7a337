import { oneLine } from './one-line.js';

/** The fault of a store, or of a snapshot that it holds. */
export type StoreFault =
  'unavailable' | 'timeout' | 'malformed' | 'tampered' | 'wrong-issuer' | 'too-old' | 'outdated';

/** The store failed, or holds what cannot be used. Appears in events and `status()` only: no request fails by it. */
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
