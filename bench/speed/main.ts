import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { format } from 'prettier';
import { measureFootprint } from './footprint.js';
import { runContexts } from './contexts/layer.js';
import { runEventLoop } from './event-loop/layer.js';
import { runGrowth } from './growth/layer.js';
import { runInProcess } from './in-process/layer.js';
import { describeMachine } from './machine.js';
import { runInjected } from './injected/layer.js';
import { runNest } from './nest/layer.js';
import { runProofs } from './proofs/layer.js';
import { coldPicture } from './report/cold-picture.js';
import { markdown } from './report/markdown.js';
import { nestPicture } from './report/nest-picture.js';
import type { Results } from './report/results.js';
import { FULL, QUICK } from './settings.js';

const { values } = parseArgs({
  options: {
    /** A few minutes; the pages of the last full run stay as they are. */
    quick: { type: 'boolean', default: false },
    /** Measures nothing: writes the pages from what the last full run measured. */
    report: { type: 'boolean', default: false },
  },
});
const root = new URL('../../../', import.meta.url);
const measured = new URL('dist/bench/speed-results.json', root);

async function measure(): Promise<Results> {
  const settings = values.quick ? QUICK : FULL;
  const begun = performance.now();
  const machine = describeMachine();
  const inProcess = await runInProcess(settings);
  const nest = await runNest(settings);
  const injected = await runInjected(settings);
  const contexts = await runContexts(settings);
  const proofs = await runProofs(settings);
  const eventLoop = await runEventLoop(settings);
  const growth = await runGrowth(settings);
  const footprint = await measureFootprint(settings.inProcess.rounds);
  return {
    settings,
    machine,
    inProcess,
    nest,
    injected,
    contexts,
    proofs,
    eventLoop,
    growth,
    footprint,
    minutes: (performance.now() - begun) / 60_000,
  };
}

const lastRun = async (): Promise<Results> => JSON.parse(await readFile(measured, 'utf8'));
const results = await (values.report ? lastRun() : measure());
if (results.settings.isQuick) {
  console.log(markdown(results));
} else {
  await writeFile(measured, JSON.stringify(results));
  await mkdir(new URL('docs/', root), { recursive: true });
  const page = await format(markdown(results), { parser: 'markdown', printWidth: 110, singleQuote: true });
  await writeFile(new URL('docs/benchmarks.md', root), page);
  await writeFile(new URL('docs/benchmarks-nest.svg', root), nestPicture(results.nest));
  await writeFile(new URL('docs/benchmarks-cold.svg', root), coldPicture(results.inProcess));
  console.log(`Written to docs/benchmarks.md after ${results.minutes.toFixed(1)} minutes`);
}
