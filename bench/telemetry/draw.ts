import { INK, QUIET, round, text } from '../support/svg.js';
import type { Line } from './prometheus.js';
import type { Story } from './story.js';

interface GridPosition {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** A dashboard of Grafana, as far as it is drawn. */
export interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly gridPos: GridPosition;
    readonly fieldConfig: { readonly defaults: { readonly unit: string } };
    readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}

/** A panel with what Prometheus has answered. */
export interface DrawnPanel {
  readonly title: string;
  readonly gridPos: GridPosition;
  readonly unit: string;
  readonly lines: readonly Line[];
}

/** Of Grafana's grid, which has 24 columns. */
const CELL = { width: 50, height: 32 };
const COLORS = ['#2f7d4f', '#e0234e', '#3465a4', '#c47f00', '#7a4fa3', '#0b7285', '#8a5a44'];
const STATES = ['fresh', 'stale', 'expired', 'empty'];
const HEAD = 56;

/** Draws the panels where the dashboard has them, with a line at everything that happened. */
export function drawDashboard(panels: readonly DrawnPanel[], story: Story): string {
  const width = 24 * CELL.width;
  const height = HEAD + Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)) * CELL.height;
  const what = story.marks.map(({ what }) => what).join(', ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" role="img">`,
    `<title>The dashboard over a run of ${Math.round(story.until - story.from)} seconds: ${what}</title>`,
    `<rect width="${width}" height="${height}" fill="#f4f5f7"/>`,
    text(16, 26, 'nestjs-resilient-auth', { size: 17, weight: 700 }),
    text(
      16,
      45,
      `The queries of grafana-dashboard.json, answered by Prometheus for one run and drawn by npm run bench:telemetry, not by Grafana. Dashed: ${what}.`,
      {
        size: 12,
        fill: QUIET,
      },
    ),
    ...panels.map((panel) => drawPanel(panel, story)),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel({ title, gridPos, unit, lines }: DrawnPanel, { from, until, marks }: Story): string {
  const left = gridPos.x * CELL.width + 6;
  const top = HEAD + gridPos.y * CELL.height + 4;
  const width = gridPos.w * CELL.width - 12;
  const height = gridPos.h * CELL.height - 8;
  const plot = { left: left + 52, right: left + width - 12, top: top + 32, bottom: top + height - 40 };
  const highest = highestOf(lines, unit);
  const x = (time: number): number =>
    round(plot.left + ((time - from) / (until - from)) * (plot.right - plot.left));
  const y = (value: number): number =>
    round(plot.bottom - (Math.min(value, highest) / highest) * (plot.bottom - plot.top));
  const ticks = title.startsWith('State') ? [0, 1, 2, 3] : [0, highest / 2, highest];
  const named = lines.length > 6 ? lines.slice(0, 6) : lines;
  const isWide = named.some(({ legend }) => legend.length > 14);
  return [
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" rx="4" fill="#fff" stroke="#d9dce1"/>`,
    text(left + 12, top + 20, title, { size: 13, weight: 600, fill: INK }),
    ...ticks.flatMap((tick) => [
      `<path d="M${plot.left} ${y(tick)}H${plot.right}" stroke="#e6e8ec"/>`,
      text(
        plot.left - 6,
        y(tick) + 4,
        title.startsWith('State') ? (STATES[tick] ?? '') : format(tick, unit),
        {
          size: 10,
          anchor: 'end',
          fill: QUIET,
        },
      ),
    ]),
    ...marks.map(
      ({ at }) => `<path d="M${x(at)} ${plot.top}V${plot.bottom}" stroke="#a8b3c4" stroke-dasharray="3 3"/>`,
    ),
    ...lines.map(({ points }, index) => drawLine(points, COLORS[index % COLORS.length] ?? INK, x, y)),
    ...named.map(({ legend }, index) =>
      drawLegend(legend, index, named.length, { left: left + 12, width, bottom: top + height, isWide }),
    ),
  ].join('\n');
}

/** Gaps, as before the first scrape of a series or where nothing was counted, stay gaps. */
function drawLine(
  points: Line['points'],
  color: string,
  x: (time: number) => number,
  y: (value: number) => number,
): string {
  let isOpen = false;
  const path = points.map(([time, value]) => {
    if (!Number.isFinite(value)) {
      isOpen = false;
      return '';
    }
    const step = `${isOpen ? 'L' : 'M'}${x(time)} ${y(value)}`;
    isOpen = true;
    return step;
  });
  return `<path d="${path.join('')}" fill="none" stroke="${color}" stroke-width="1.6" stroke-linejoin="round"/>`;
}

function drawLegend(
  legend: string,
  index: number,
  count: number,
  { left, width, bottom, isWide }: { left: number; width: number; bottom: number; isWide: boolean },
): string {
  const perRow = count > 3 || isWide ? 2 : 3;
  const column = (width - 24) / perRow;
  const at = {
    x: left + (index % perRow) * column,
    y: bottom - 20 + Math.floor(index / perRow) * 11 - (count > 4 ? 6 : 0),
  };
  const color = COLORS[index % COLORS.length] ?? INK;
  return `<rect x="${round(at.x)}" y="${round(at.y - 4)}" width="10" height="3" fill="${color}"/>${text(at.x + 14, at.y, legend, { size: 10, fill: QUIET })}`;
}

function highestOf(lines: readonly Line[], unit: string): number {
  if (unit === 'percentunit') return 1;
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value)).filter(Number.isFinite);
  const highest = Math.max(...values, unit === 's' ? 0.001 : 3);
  const magnitude = 10 ** Math.floor(Math.log10(highest));
  const nice = [1, 2, 3, 4, 5, 6, 8, 10].find((factor) => factor * magnitude >= highest) ?? 10;
  return nice * magnitude;
}

function format(value: number, unit: string): string {
  if (unit === 'percentunit') return `${Math.round(value * 100)} %`;
  if (unit === 's') return value !== 0 && value < 1 ? `${round(value * 1000)} ms` : `${round(value)} s`;
  return unit === 'reqps' ? `${round(value)}/s` : String(round(value));
}
