import { styleText } from 'node:util';
import { Figures } from './figures.js';

type Column = readonly [title: string, cell: (figures: Figures) => string];

const columns: readonly Column[] = [
  ['phase', ({ name }) => name],
  ['requests', ({ requests }) => String(requests)],
  ['refused', ({ refused }) => String(refused)],
  ['forged', ({ forged }) => String(forged)],
  ['accepted', ({ accepted }) => String(accepted)],
  ['slowest', ({ slowest }) => `${Math.ceil(slowest)} ms`],
  ['calls', ({ calls }) => String(calls)],
];

const legend = `requests: valid ones; refused: those of them not answered 200 (GraphQL: with errors; WebSocket: refused or dropped). accepted: forged ones answered 200.
slowest: answer to a valid request. calls: discovery and key set requests that reached the provider.`;

/** The table at the end: a row for each phase, and the total. */
export function table(phases: readonly Figures[]): string {
  const rows = [...phases, Figures.total(phases)].map((figures) => columns.map(([, cell]) => cell(figures)));
  const titles = columns.map(([title]) => title);
  const widths = titles.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    // Words to the left, numbers to the right.
    cells
      .map((cell, index) =>
        index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join('  ');
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  return [
    line(titles),
    rule,
    ...rows.slice(0, -1).map(line),
    rule,
    ...rows.slice(-1).map(line),
    '',
    legend,
  ].join('\n');
}

export function verdict(total: Figures): string {
  return total.isFlawless
    ? paint('green', 'No valid request was refused, no forged one accepted.')
    : paint('red', `${total.refused} valid requests were refused, ${total.accepted} forged ones accepted.`);
}

export function paint(color: 'green' | 'red' | 'dim', text: string): string {
  return process.stdout.isTTY ? styleText(color, text) : text;
}
