import type { Figure } from '../statistics.js';

/** One bar, as long as its median. */
export interface Bar {
  readonly label: string;
  /** A share of the panel's whole. */
  readonly figure: Figure;
  readonly kind: 'ours' | 'peer' | 'base';
}

/** Bars that share a whole, which is the length of a full bar. */
export interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const FILL = { ours: '#e0234e', peer: '#a8b3c4', base: '#47536a' } as const;
const COLUMNS = 2;
const SIZE = {
  margin: 28,
  panel: 500,
  gap: 36,
  label: 226,
  row: 26,
  bar: 16,
  head: 34,
  top: 88,
  foot: 44,
} as const;
/** Room for a whole bar, the tip of its whisker, and the number behind it. */
const SCALE = SIZE.panel - SIZE.label - 70;

/** A picture of several panels of horizontal bars; the lines at their ends are the quartiles. */
export function barPicture(title: string, subtitle: string, foot: string, panels: readonly Panel[]): string {
  const rowsOf = (panel: Panel): number => SIZE.head + panel.bars.length * SIZE.row + 20;
  const lines = Array.from({ length: Math.ceil(panels.length / COLUMNS) }, (_, line) =>
    panels.slice(line * COLUMNS, (line + 1) * COLUMNS),
  );
  const width = 2 * SIZE.margin + COLUMNS * SIZE.panel + SIZE.gap;
  let y: number = SIZE.top;
  const drawn = lines.flatMap((line) => {
    const top = y;
    y += Math.max(...line.map(rowsOf));
    return line.map((panel, column) => drawPanel(panel, SIZE.margin + column * (SIZE.panel + SIZE.gap), top));
  });
  const height = y + SIZE.foot;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}" font-family="-apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="13" fill="#1f2733">
<rect width="${width}" height="${height}" rx="10" fill="#ffffff" stroke="#d9dfe8"/>
<text x="${SIZE.margin}" y="40" font-size="20" font-weight="700">${escape(title)}</text>
<text x="${SIZE.margin}" y="62" fill="#5b6778">${escape(subtitle)}</text>
${drawn.join('\n')}
<text x="${SIZE.margin}" y="${height - 18}" font-size="12" fill="#5b6778">${escape(foot)}</text>
</svg>
`;
}

function drawPanel({ title, bars }: Panel, x: number, y: number): string {
  const top = y + SIZE.head - 8;
  const bottom = top + bars.length * SIZE.row;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = x + SIZE.label + share * SCALE;
    return `<line x1="${at}" x2="${at}" y1="${top}" y2="${bottom}" stroke="${share === 0 ? '#8792a3' : '#e6eaf0'}"/>`;
  });
  const rows = bars.map((bar, index) => drawBar(bar, x, top + index * SIZE.row));
  return `<g><text x="${x}" y="${y + 14}" font-size="15" font-weight="600">${escape(title)}</text>
${grid.join('')}
${rows.join('\n')}</g>`;
}

function drawBar({ label, figure, kind }: Bar, x: number, y: number): string {
  const left = x + SIZE.label;
  const middle = y + SIZE.row / 2;
  const [length, low, high] = [figure.median, figure.low, figure.high].map(
    (share) => Math.round(Math.min(share, 1.1) * SCALE * 10) / 10,
  );
  const weight = kind === 'ours' ? ' font-weight="700"' : '';
  return `<text x="${left - 8}" y="${middle + 4.5}" text-anchor="end"${weight}>${escape(label)}</text>
<rect x="${left}" y="${middle - SIZE.bar / 2}" width="${length}" height="${SIZE.bar}" rx="2" fill="${FILL[kind]}"/>
<line x1="${left + (low ?? 0)}" x2="${left + (high ?? 0)}" y1="${middle}" y2="${middle}" stroke="#1f2733" stroke-width="1.5"/>
<text x="${left + Math.max(length ?? 0, high ?? 0) + 7}" y="${middle + 4.5}"${weight}>${Math.round(figure.median * 100)} %</text>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
