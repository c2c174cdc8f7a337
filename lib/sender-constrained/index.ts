export { decodeBase64Der, decodeEscapedPem } from './mtls/headers/escaped-pem.js';
export type { DpopNonceOptions, DpopOptions, ReplayStore } from '../features/dpop-options.js';
export { MemoryReplayStore, type MemoryReplayStoreOptions } from './dpop/replay/memory-replay-store.js';
