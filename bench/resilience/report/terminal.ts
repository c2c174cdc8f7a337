import type { RowResult } from '../bench.js';
import { harm, wrongStatuses } from '../cell-result.js';
import type { Library } from '../libraries/index.js';
import { duration, percent } from './wording.js';

/** One row as it ends, so that a long run shows what it is doing. */
export function printRow({ row, cells, took }: RowResult, libraries: readonly Library[]): void {
  console.log(`\n${row.title} (${took.toFixed(0)} s)`);
  for (const [index, cell] of cells.entries()) {
    const name = `  ${libraries[index]?.title ?? ''}`.padEnd(30);
    if (cell instanceof Error) console.log(name, cell.stack);
    else {
      console.log(
        name,
        `wrong ${percent(harm(cell))}, refused ${cell.refused} of ${cell.sent.valid},`,
        `wrong status ${wrongStatuses(cell)}, calls ${cell.calls}, slowest ${duration(cell.slowestValid)}`,
      );
    }
  }
}
