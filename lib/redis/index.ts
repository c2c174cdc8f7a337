export type { IntegrityKey } from './integrity-keys.js';
export { RedisMetadataStore, type RedisMetadataStoreOptions } from './redis-metadata-store.js';
