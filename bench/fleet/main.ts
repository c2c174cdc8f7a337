import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { format } from 'prettier';
import { DOCS } from '../resilience/report/setting.js';
import { measure } from './measure.js';
import { goals } from './report/goals.js';
import { picture } from './report/picture.js';
import { report } from './report/report.js';
import { FULL, QUICK } from './settings.js';

const { values: options } = parseArgs({
  options: {
    /** Two to three minutes, with fewer replicas and rollovers; writes nothing. */
    quick: { type: 'boolean', default: false },
  },
});

const begun = performance.now();
const results = await measure(options.quick ? QUICK : FULL);
for (const { what, goal, measured, isMet } of goals(results))
  console.log(`${isMet ? 'met   ' : 'MISSED'} ${what}: ${measured} (goal ${goal})`);

if (!options.quick) {
  const text = report(results, performance.now() - begun);
  await writeFile(
    new URL('fleet.md', DOCS),
    await format(text, { parser: 'markdown', printWidth: 110, singleQuote: true }),
  );
  await writeFile(new URL('fleet.svg', DOCS), picture(results));
  console.log('Written: docs/fleet.md, docs/fleet.svg');
}
// Child processes still running end with this process.
process.exit();
