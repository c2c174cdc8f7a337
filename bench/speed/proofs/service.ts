import { expose } from '../../support/remote.js';
import { Served } from '../nest/served.js';
import type { Platform } from '../settings.js';
import type { Trust } from '../tokens/issuer-process.js';
import { PROOF_ENTRIES } from './variants.js';

/** What a service is started with. */
export interface ProofServiceOrder {
  readonly variant: string;
  readonly platform: Platform;
  readonly trust: Trust;
}

// Imported elsewhere for its types alone, this file runs only as a process: one variant on one platform.
const { variant, platform, trust }: ProofServiceOrder = JSON.parse(process.argv[2] ?? '');
const entry = PROOF_ENTRIES.find(({ name }) => name === variant);
if (!entry) throw new Error(`There is no variant "${variant}"`);
expose(await Served.start(entry.start(trust), platform));
