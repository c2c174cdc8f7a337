import type { RowResult } from '../bench.js';
import type { CellResult } from '../cell-result.js';
import { FLOOD_RATE, FLOOD_SECONDS } from '../rows/loads.js';

/** A figure this library is to reach, and whether it does. */
export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  readonly isMet: boolean;
}

/** `refreshBurst` and `refreshInterval` of the library, by default. */
const BURST = 5;
const INTERVAL_SECONDS = 5;

/** The figures of the library under test, from its own cells. Rows that were not run are left out. */
export function goals(results: readonly RowResult[]): Goal[] {
  const own = new Map<string, CellResult>();
  for (const { row, cells } of results) {
    const [cell] = cells;
    if (cell && !(cell instanceof Error)) own.set(row.id, cell);
  }
  const cells = [...own.values()];
  return [
    none(
      'Valid requests refused, in all rows',
      cells.map(({ refused }) => refused),
    ),
    none(
      'Forged tokens accepted, in all rows',
      cells.map(({ accepted }) => accepted.forged),
    ),
    ...of(own, 'rollover-overlap', ({ refreshes = Number.NaN }) =>
      exactly('Refreshes for one rollover', refreshes, 1),
    ),
    ...of(own, 'rollover-at-once', ({ refreshes = Number.NaN }) =>
      exactly('Refreshes for one rollover with no overlap', refreshes, 1),
    ),
    ...of(own, 'rollover-ten', ({ refreshes = Number.NaN }) =>
      exactly('Refreshes for ten rollovers', refreshes, 10),
    ),
    ...['flood', 'flood-rollover'].flatMap((id) => of(own, id, (cell) => refreshesInFlood(id, cell))),
    ...[...own].filter(([id]) => id.startsWith('outage-')).map(([id, cell]) => refreshesInOutage(id, cell)),
    ...of(own, 'flood', latencyInFlood),
    ...of(own, 'flood', ({ extras }) =>
      flat('Memory in use over a second flood', extras['keptBefore'], extras['keptAfter']),
    ),
    ...of(own, 'flood', ({ extras }) =>
      noLarger(
        'Resident memory over it, after a collection',
        extras['settledBefore'],
        extras['settledAfter'],
      ),
    ),
    ...of(own, 'huge-body', ({ extras }) =>
      flat('Resident memory over the never-ending body', extras['memoryBefore'], extras['memoryPeak']),
    ),
  ];
}

function of(own: ReadonlyMap<string, CellResult>, id: string, goal: (cell: CellResult) => Goal): Goal[] {
  const cell = own.get(id);
  return cell ? [goal(cell)] : [];
}

function none(what: string, counts: readonly number[]): Goal {
  return exactly(
    what,
    counts.reduce((sum, each) => sum + each, 0),
    0,
  );
}

function exactly(what: string, measured: number, goal: number): Goal {
  return { what, goal: String(goal), measured: String(measured), isMet: measured === goal };
}

function refreshesInFlood(id: string, { refreshes = Number.NaN, slowestForged }: CellResult): Goal {
  // The last of the flood waits for one more refresh; until then the budget goes on filling.
  const seconds = FLOOD_SECONDS + slowestForged / 1000;
  const most = BURST + Math.floor(seconds / INTERVAL_SECONDS);
  return {
    what: `Refreshes in "${id}", ${FLOOD_RATE} unknown keys a second, in the ${seconds.toFixed(0)} s until all were answered`,
    goal: `≤ ${most} (burst + 1 per refreshInterval)`,
    measured: String(refreshes),
    isMet: refreshes <= most,
  };
}

function refreshesInOutage(id: string, { refreshes = Number.NaN }: CellResult): Goal {
  const hourly = refreshes / 24;
  return {
    what: `Refreshes an hour in "${id}"`,
    goal: '< 10',
    measured: hourly.toFixed(1),
    isMet: hourly < 10,
  };
}

function latencyInFlood({ extras }: CellResult): Goal {
  const { validP99 = Number.NaN, validP99WithoutTokens = Number.NaN, eventLoopP99 = Number.NaN } = extras;
  return {
    what: 'p99 of valid requests under the flood, against p99 under as many requests without a token',
    goal: '≤ 1.3 ×',
    measured:
      `${validP99.toFixed(1)} ms against ${validP99WithoutTokens.toFixed(1)} ms: ` +
      `${(validP99 / validP99WithoutTokens).toFixed(1)} × (event-loop delay p99 ${eventLoopP99.toFixed(1)} ms)`,
    isMet: validP99 <= 1.3 * validP99WithoutTokens,
  };
}

/** Memory that the collector returns to the system meanwhile is no fault. */
function noLarger(what: string, before = Number.NaN, after = Number.NaN): Goal {
  return { ...flat(what, before, after), goal: '≤ 20 MB more', isMet: after - before <= 20 };
}

function flat(what: string, before = Number.NaN, after = Number.NaN): Goal {
  return {
    what,
    goal: '± 20 MB',
    measured: `${before.toFixed(0)} MB, then ${after.toFixed(0)} MB`,
    isMet: Math.abs(after - before) <= 20,
  };
}
