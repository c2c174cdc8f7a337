import { Child } from '../../support/child.js';
import { remote } from '../../support/remote.js';
import type { Settings } from '../settings.js';
import type { InProcess, InProcessResult } from './process.js';

/** Validation without a server; a process for each algorithm, so that none inherits the heap of the one before. */
export async function runInProcess(settings: Settings): Promise<readonly InProcessResult[]> {
  const results: InProcessResult[] = [];
  for (const alg of settings.inProcess.algorithms) {
    console.log(`in process: ${alg}`);
    const child = await Child.start(new URL('process.js', import.meta.url));
    results.push(await remote<InProcess>(child.process).run(alg, settings));
    await child.end();
  }
  return results;
}
