import { Cell } from './cell.js';
import type { CellResult } from './cell-result.js';
import type { Library } from './libraries/index.js';
import type { Row } from './rows/row.js';

/** One row of the report. */
export interface RowResult {
  readonly row: Row;
  /** In the order of the libraries; an `Error` where the bench itself could not go on. */
  readonly cells: readonly (CellResult | Error)[];
  /** Real seconds. */
  readonly took: number;
}

/** Runs one row with every library, as many at a time as do not disturb each other's figures. */
export async function runRow(row: Row, libraries: readonly Library[]): Promise<RowResult> {
  const begun = performance.now();
  const cells: (CellResult | Error)[] = [];
  for (let next = 0; next < libraries.length; next += row.atOnce) {
    const group = libraries.slice(next, next + row.atOnce);
    cells.push(...(await Promise.all(group.map((library) => runCell(row, library)))));
  }
  return { row, cells, took: (performance.now() - begun) / 1000 };
}

async function runCell(row: Row, { id }: Library): Promise<CellResult | Error> {
  try {
    await using cell = await Cell.open(id);
    await row.run(cell);
    return await cell.finish();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
