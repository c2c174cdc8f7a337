import { Child } from '../../support/child.js';
import { remote } from '../../support/remote.js';
import type { Settings } from '../settings.js';
import { measureForged, type ForgedResult } from './forged.js';
import type { EventLoop, HoldResult } from './process.js';

export interface EventLoopResult {
  readonly forged: readonly ForgedResult[];
  readonly holds: readonly HoldResult[];
}

/** Known tokens beside forged ones, and how long single inputs hold the event loop. */
export async function runEventLoop(settings: Settings): Promise<EventLoopResult> {
  console.log('event loop');
  const child = await Child.start(new URL('process.js', import.meta.url));
  try {
    const forged: ForgedResult[] = [];
    for (const alg of ['RS256', 'ES256'] as const) forged.push(await measureForged(alg, settings));
    const calls = remote<EventLoop>(child.process);
    return { forged, holds: await calls.holds(settings) };
  } finally {
    await child.end();
  }
}
