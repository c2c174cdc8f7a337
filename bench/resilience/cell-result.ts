import type { Probe } from './tally.js';

/** How one library fared in one row. */
export interface CellResult {
  /** HTTP requests the provider received. */
  readonly calls: number;
  /** Refreshes, where the library reports them. */
  readonly refreshes?: number;
  readonly sent: Readonly<Record<Probe, number>>;
  readonly accepted: Readonly<Record<Probe, number>>;
  /** Valid requests that were not answered with 200. */
  readonly refused: number;
  /** How often each wrong status came. */
  readonly wrongStatus: Readonly<Record<string, number>>;
  /** Milliseconds of the shifted clock. */
  readonly slowestValid: number;
  /** The same for bad tokens, real time: the last of a flood may wait for a refresh. */
  readonly slowestForged: number;
  /** Milliseconds until the last wrong answer; infinite when that was not within the row. */
  readonly recovery: number;
  /** How the service ended: it crashed, or the bench stopped it because of its memory. */
  readonly end: 'running' | 'crashed' | 'stopped';
  /** Figures that only some rows have. */
  readonly extras: Readonly<Record<string, number>>;
}

/** The share of requests answered wrongly: of valid ones refused, or of bad ones accepted, whichever is larger. */
export function harm({ sent, accepted, refused }: CellResult): number {
  return Math.max(
    share(refused, sent.valid),
    share(accepted.forged, sent.forged),
    share(accepted.withdrawn, sent.withdrawn),
  );
}

export function wrongStatuses({ wrongStatus }: CellResult): number {
  return Object.values(wrongStatus).reduce((sum, times) => sum + times, 0);
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
