export type { IntegrityKey } from './integrity-keys.js';
export { RedisReplayStore, type RedisReplayStoreOptions } from './redis-replay-store.js';
export { RedisMetadataStore, type RedisMetadataStoreOptions } from './redis-metadata-store.js';
