import type { Cell } from '../cell.js';

/** One fault, and what is asked of a library during it. */
export interface Row {
  /** Kebab case, for `--rows`. */
  readonly id: string;
  readonly title: string;
  /** What happens, in a sentence or two. */
  readonly story: string;
  /** How many libraries run it at a time: one where latency under load is measured. */
  readonly atOnce: number;
  /** Part of `--quick`. */
  readonly quick: boolean;
  readonly run: (cell: Cell) => Promise<void>;
}
