import { Child } from '../../support/child.js';
import { remote, type Remote } from '../../support/remote.js';
import type { Settings } from '../settings.js';
import type { Growth, GrowthCell } from './process.js';

export interface GrowthResult {
  readonly tokens: readonly GrowthCell[];
  readonly keys: readonly GrowthCell[];
  readonly issuers: readonly GrowthCell[];
  readonly cachedTokens: { readonly tokenLength: number; readonly memory: number };
}

/** Our cost as tokens, keys and issuers grow in number; a process for each, so that none inherits a heap. */
export async function runGrowth(settings: Settings): Promise<GrowthResult> {
  return {
    cachedTokens: await inOwnProcess('memory of cached tokens', (growth) => growth.cachedTokens()),
    keys: await inOwnProcess('keys', (growth) => growth.keys(settings)),
    issuers: await inOwnProcess('issuers', (growth) => growth.issuers(settings)),
    tokens: await inOwnProcess('tokens', (growth) => growth.tokens(settings)),
  };
}

async function inOwnProcess<T>(what: string, run: (growth: Remote<Growth>) => Promise<T>): Promise<T> {
  console.log(`growth: ${what}`);
  const child = await Child.start(new URL('process.js', import.meta.url));
  try {
    return await run(remote<Growth>(child.process));
  } finally {
    await child.end();
  }
}
