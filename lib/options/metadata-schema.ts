import * as v from 'valibot';
import type { MetadataFetch } from '../metadata/metadata-options.js';
import type { MetadataStore } from '../metadata/store/metadata-store.js';
import { duration, flag, func, integer } from './schema-parts.js';

/** `MetadataOptions`: what each option may be, and its default. */
export const metadataSchema = v.strictObject({
  automaticRefreshInterval: duration('10m', '1s', '24h'),
  refreshInterval: duration('5s', '1s', '1h'),
  refreshBurst: integer(5, 1, 100),
  refreshWait: duration('10s', '0s', '60s'),
  refreshOnKeyNotFound: flag(true),
  maxWaiting: integer(10_000, 1),
  timeout: duration('5s', '100ms', '30s'),
  lastKnownGoodLifetime: duration('24h', '0s'),
  startup: v.optional(v.picklist(['wait', 'require', 'lazy'], `'wait', 'require' or 'lazy'`), 'wait'),
  requireHttps: flag(true),
  maxResponseSize: integer(524_288, 1024),
  fetch: func<MetadataFetch>('a function like fetch'),
  store: v.optional(v.custom<MetadataStore>(isStore, 'a MetadataStore: an object with load and save')),
});

function isStore(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'load' in value && typeof value.load === 'function' && 'save' in value && typeof value.save === 'function'
  );
}
