import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { format } from 'prettier';
import { runRow, type RowResult } from './bench.js';
import { LIBRARIES } from './libraries/index.js';
import { goals } from './report/goals.js';
import { picture } from './report/picture.js';
import { report } from './report/report.js';
import { DOCS } from './report/setting.js';
import { printRow } from './report/terminal.js';
import { ROWS } from './rows/index.js';

const { values: options } = parseArgs({
  options: {
    /** One minute instead of eight; writes nothing. */
    quick: { type: 'boolean', default: false },
    /** Ids, with commas between; writes nothing. */
    rows: { type: 'string' },
    libraries: { type: 'string' },
  },
});

const isChosen = (list: string | undefined, id: string): boolean => list?.split(',').includes(id) ?? true;
const rows = ROWS.filter(({ id, quick }) => isChosen(options.rows, id) && (quick || !options.quick));
const libraries = LIBRARIES.filter(({ id }) => isChosen(options.libraries, id));
if (rows.length === 0 || libraries.length === 0) throw new Error('There is no such row or library');

const begun = performance.now();
const results: RowResult[] = [];
for (const row of rows) {
  const result = await runRow(row, libraries);
  results.push(result);
  printRow(result, libraries);
}

if (libraries[0] === LIBRARIES[0])
  for (const { what, goal, measured, isMet } of goals(results))
    console.log(`${isMet ? 'met   ' : 'MISSED'} ${what}: ${measured} (goal ${goal})`);

if (rows.length === ROWS.length && libraries.length === LIBRARIES.length) {
  const text = report(results, libraries, performance.now() - begun);
  await writeFile(
    new URL('resilience.md', DOCS),
    await format(text, { parser: 'markdown', printWidth: 110 }),
  );
  await writeFile(new URL('resilience.svg', DOCS), picture(results, libraries));
  console.log('Written: docs/resilience.md, docs/resilience.svg');
}
// Child processes still running end with this process; a cell that could not be measured is a failure of the bench.
process.exit(results.some(({ cells }) => cells.some((cell) => cell instanceof Error)) ? 1 : 0);
