import type { RowResult } from '../bench.js';
import { harm, type CellResult } from '../cell-result.js';
import type { Library } from '../libraries/index.js';
import { count, duration, percent } from './wording.js';
import { INK, QUIET, text } from '../../support/svg.js';

const LABELS = 236;
const HEAD = 116;
const WIDTH = 132;
const HEIGHT = 38;
const FOOT = 58;

/** Milliseconds, and calls to the provider, that are worth a remark. */
const LONG = 6000;
const MANY = 1000;

/** From nothing wrong to everything wrong; they differ in lightness too, and each carries its figure. */
const SHADES: readonly (readonly [upTo: number, fill: string, ink: string])[] = [
  [0, '#d3efe2', '#0b5a3c'],
  [0.05, '#fdf3cd', INK],
  [0.25, '#fbd78f', INK],
  [0.6, '#f29b61', INK],
  [1, '#c8413b', '#ffffff'],
];

/** Rows by libraries, the share of requests answered wrongly as colour and figure. */
export function picture(results: readonly RowResult[], libraries: readonly Library[]): string {
  const width = LABELS + libraries.length * WIDTH + 24;
  const height = HEAD + results.length * HEIGHT + FOOT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" role="img">`,
    '<title>Share of requests answered wrongly, by fault and library</title>',
    `<rect width="${width}" height="${height}" rx="8" fill="#ffffff"/>`,
    text(24, 36, 'Requests answered wrongly while the identity provider misbehaves', {
      size: 20,
      weight: 700,
    }),
    text(
      24,
      58,
      'Share of valid requests refused, or of forged and withdrawn tokens accepted, whichever is larger.',
      {
        fill: QUIET,
      },
    ),
    ...libraries.flatMap(({ title }, index) => heading(title, LABELS + (index + 0.5) * WIDTH, index === 0)),
    ...results.flatMap(({ row, cells }, line) => [
      text(24, HEAD + (line + 0.5) * HEIGHT + 4, row.title, { weight: 500 }),
      ...cells.flatMap((cell, column) => square(cell, LABELS + column * WIDTH, HEAD + line * HEIGHT)),
    ]),
    `<rect x="${LABELS - 2}" y="${HEAD - 42}" width="${WIDTH}" height="${results.length * HEIGHT + 44}" rx="6" fill="none" stroke="${INK}" stroke-width="2"/>`,
    ...legend(24, HEAD + results.length * HEIGHT + 34),
    '</svg>',
    '',
  ].join('\n');
}

function heading(title: string, x: number, isOurs: boolean): string[] {
  const style = { size: 12, anchor: 'middle', weight: isOurs ? 700 : 600 };
  const lines = wrap(title);
  return lines.map((line, index) => text(x - 2, HEAD - 10 - (lines.length - 1 - index) * 14, line, style));
}

/** Breaks a name that is too long for one line at a hyphen or plus. */
function wrap(title: string): string[] {
  if (title.length <= 18) return [title];
  const joint = title.includes(' + ') ? / \+ /g : /-/g;
  const joints = [...title.matchAll(joint)].map(({ index, 0: found }) => index + found.length);
  const middle =
    joints.toSorted((a, b) => Math.abs(a - title.length / 2) - Math.abs(b - title.length / 2))[0] ?? 18;
  return [title.slice(0, middle).trimEnd(), title.slice(middle)];
}

function square(cell: CellResult | Error, x: number, y: number): string[] {
  if (cell instanceof Error)
    return [text(x + WIDTH / 2, y + HEIGHT / 2, 'not measured', { anchor: 'middle', fill: QUIET })];
  const share = harm(cell);
  // A process that has ended counts as all wrong.
  const shade = cell.end === 'running' ? share : 1;
  const [, fill = '', ink = ''] = SHADES.find(([upTo]) => shade <= upTo) ?? [];
  const remark = remarkOn(cell);
  return [
    `<rect x="${x + 1}" y="${y + 1}" width="${WIDTH - 6}" height="${HEIGHT - 4}" rx="4" fill="${fill}"/>`,
    text(x + WIDTH / 2 - 2, y + (remark ? 17 : 23), percent(share), {
      anchor: 'middle',
      size: 14,
      weight: 700,
      fill: ink,
    }),
    ...(remark ? [text(x + WIDTH / 2 - 2, y + 30, remark, { anchor: 'middle', size: 10.5, fill: ink })] : []),
  ];
}

/** The one thing besides the share that a reader should know. */
function remarkOn(cell: CellResult): string | undefined {
  const { end, accepted, sent, wrongStatus, calls, slowestValid, refused } = cell;
  if (end === 'crashed') return 'the process crashed';
  if (end === 'stopped') return 'memory limit exceeded';
  if (accepted.forged > 0) return 'forgeries accepted';
  if (accepted.withdrawn > 0)
    return accepted.withdrawn === sent.withdrawn ? 'accepted to the end' : 'accepted for a while';
  const [status] = Object.entries(wrongStatus).toSorted(([, a], [, b]) => b - a)[0] ?? [];
  if (status === 'no answer') return 'never answered';
  if (status !== undefined) return refused > 0 ? `with a ${status}` : `${status} instead of 503`;
  if (slowestValid > LONG) return `waits up to ${duration(slowestValid)}`;
  return calls > MANY ? `${count(calls)} calls` : undefined;
}

function legend(x: number, y: number): string[] {
  const words = ['none', 'up to 5 %', 'up to 25 %', 'up to 60 %', 'more'];
  return SHADES.flatMap(([, fill], index) => [
    `<rect x="${x + index * 108}" y="${y - 12}" width="16" height="16" rx="3" fill="${fill}"/>`,
    text(x + index * 108 + 22, y + 1, words[index] ?? '', { fill: QUIET, size: 12 }),
  ]);
}
