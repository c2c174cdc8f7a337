import { Child } from '../../support/child.js';
import { remote } from '../../support/remote.js';
import type { Samples } from '../rounds.js';
import type { Settings } from '../settings.js';
import type { Injected } from './process.js';

/** Requests of known tokens through all of Nest on Fastify, but no network; in a process of its own. */
export async function runInjected(settings: Settings): Promise<Samples> {
  console.log('injected');
  const child = await Child.start(new URL('process.js', import.meta.url));
  try {
    return await remote<Injected>(child.process).run(settings);
  } finally {
    await child.end();
  }
}
