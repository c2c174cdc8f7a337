export { RedisMetadataStore, type RedisMetadataStoreOptions } from './redis-metadata-store.js';
