import { count, duration } from '../../resilience/report/wording.js';
import type { RunResult } from '../processes/run.js';
import type { Results } from '../results.js';
import type { SimulationResult } from '../simulation/result.js';
import { mean, median, spreads, usual } from './figures.js';
import { INK, QUIET, round, text } from '../../support/svg.js';

const GRID = '#e6eaf0';
const WIDTH = 1040;
const MARGIN = 28;
const LABEL = 236;
const ROW = 24;
const GROUP = 30;
const SCALE = WIDTH - 2 * MARGIN - LABEL - 96;
const DOT = 4.5;

interface Fleet {
  readonly title: string;
  readonly fill: string;
  readonly perRollover: number;
  readonly perInterval: number;
  readonly spreads: readonly number[];
}

/** What the issuer saw, and how long all replicas took to know a new key. */
export function picture({ shared, alone, simulations }: Results): string {
  const largest = simulations.at(-1);
  const fleets = [
    ofProcesses('without a store', '#d1495b', alone),
    ofProcesses('with a store', '#2a7f62', shared),
    ...(largest ? [ofSimulation('#7fb59f', largest)] : []),
  ];
  const demand = demandPanel(fleets, 96);
  const spread = spreadPanel(fleets, demand.bottom + 58);
  const height = spread.bottom + 40;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" role="img">`,
    '<title>What the issuer saw of a fleet, and how long a new key took to reach all of it</title>',
    `<rect width="${WIDTH}" height="${height}" rx="8" fill="#ffffff"/>`,
    text(MARGIN, 38, 'A fleet as one client of the issuer', { size: 20, weight: 700 }),
    text(
      MARGIN,
      62,
      "Replicas of one service under steady load, through rollovers of the issuer's key; times on a logarithmic scale.",
      {
        fill: QUIET,
      },
    ),
    ...demand.parts,
    ...spread.parts,
    '</svg>',
    '',
  ].join('\n');
}

function ofProcesses(title: string, fill: string, { settings, calm, rollovers }: RunResult): Fleet {
  return {
    title: `${settings.replicas} processes ${title}`,
    fill,
    perRollover: mean(rollovers.map((one) => one.refreshes)),
    perInterval: calm.refreshes / calm.intervals,
    spreads: spreads(rollovers),
  };
}

function ofSimulation(fill: string, { day, calm, rollovers }: SimulationResult): Fleet {
  return {
    title: `${count(day.replicas)} simulated with a store`,
    fill,
    perRollover: mean(usual(rollovers).map((one) => one.refreshes)),
    perInterval: calm.refreshes / calm.intervals,
    spreads: spreads(usual(rollovers)),
  };
}

interface Panel {
  readonly parts: readonly string[];
  readonly bottom: number;
}

function demandPanel(fleets: readonly Fleet[], top: number): Panel {
  const groups: readonly [title: string, read: (fleet: Fleet) => number][] = [
    ['for one rollover', (fleet) => fleet.perRollover],
    ['for one automatic interval', (fleet) => fleet.perInterval],
  ];
  const most = Math.max(10, ...fleets.flatMap((fleet) => groups.map(([, read]) => read(fleet))));
  let y = top + 16;
  const rows = groups.flatMap(([title, read]) => {
    const heading = text(MARGIN, y + 12, title, { weight: 600 });
    y += GROUP - 8;
    const bars = fleets.flatMap((fleet) => {
      const value = read(fleet);
      const length = (value / most) * SCALE;
      const bar = [
        text(MARGIN + LABEL - 10, y + 14, fleet.title, { anchor: 'end', size: 12 }),
        `<rect x="${MARGIN + LABEL}" y="${y + 3}" width="${round(length)}" height="${ROW - 8}" rx="2" fill="${fleet.fill}"/>`,
        text(MARGIN + LABEL + length + 8, y + 15, value.toFixed(value < 10 ? 1 : 0), { weight: 600 }),
      ];
      y += ROW;
      return bar;
    });
    y += 8;
    return [heading, ...bars];
  });
  return {
    parts: [text(MARGIN, top, 'Refreshes the issuer saw', { size: 15, weight: 700 }), ...rows],
    bottom: y,
  };
}

function spreadPanel(fleets: readonly Fleet[], top: number): Panel {
  const [least, most] = [1, 10_000];
  const x = (value: number): number => MARGIN + LABEL + scale(Math.max(least, value), least, most);
  const bottom = top + 24 + fleets.length * GROUP;
  const grid = [1, 10, 100, 1000, 10_000].flatMap((value) => [
    `<line x1="${round(x(value))}" x2="${round(x(value))}" y1="${top + 14}" y2="${bottom}" stroke="${GRID}"/>`,
    text(x(value), bottom + 16, duration(value), { anchor: 'middle', size: 12, fill: QUIET }),
  ]);
  const strips = fleets.flatMap((fleet, index) => {
    const y = top + 34 + index * GROUP;
    const middle = x(median(fleet.spreads));
    return [
      text(MARGIN + LABEL - 10, y + 4, fleet.title, { anchor: 'end', size: 12 }),
      ...fleet.spreads.map(
        (value) =>
          `<circle cx="${round(x(Math.min(value, most)))}" cy="${y}" r="${DOT}" fill="${fleet.fill}" fill-opacity="0.55"/>`,
      ),
      `<line x1="${round(middle)}" x2="${round(middle)}" y1="${y - 10}" y2="${y + 10}" stroke="${INK}" stroke-width="2"/>`,
    ];
  });
  const title = 'From the first replica that accepts a new key to the last (each rollover, and their median)';
  return {
    parts: [text(MARGIN, top, title, { size: 15, weight: 700 }), ...grid, ...strips],
    bottom: bottom + 8,
  };
}

function scale(value: number, least: number, most: number): number {
  return (Math.log(Math.max(value, least) / least) / Math.log(most / least)) * SCALE;
}
