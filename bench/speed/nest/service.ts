import { expose } from '../../support/remote.js';
import type { Platform } from '../settings.js';
import type { Trust } from '../tokens/issuer-process.js';
import { Served } from './served.js';
import { ENTRIES } from './variants.js';

/** What a service is started with. */
export interface ServiceOrder {
  readonly variant: string;
  readonly platform: Platform;
  readonly trust: Trust;
  readonly cacheMax: number;
}

// Imported elsewhere for its types alone, this file runs only as a process: one variant on one platform.
const { variant, platform, trust, cacheMax }: ServiceOrder = JSON.parse(process.argv[2] ?? '');
const entry = ENTRIES.find(({ name }) => name === variant);
if (!entry) throw new Error(`There is no variant "${variant}"`);
expose(await Served.start(await entry.start(trust, cacheMax), platform));
