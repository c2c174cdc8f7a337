import type { Figure } from '../statistics.js';

/** Measured with a spread of more than this share of the median: to be taken as a hint. */
const NOISY = 0.1;

/** A ratio with its quartiles. */
export function times(figure: Figure): string {
  return `${figure.median.toFixed(2)} (${figure.low.toFixed(2)}–${figure.high.toFixed(2)})${mark(figure)}`;
}

/** Microseconds with their quartiles. */
export function microseconds(figure: Figure): string {
  const digits = figure.median < 20 ? 1 : 0;
  const [median, low, high] = [figure.median, figure.low, figure.high].map((value) => value.toFixed(digits));
  return `${median} µs (${low}–${high})${mark(figure)}`;
}

/** Milliseconds with their quartiles. */
export function milliseconds(figure: Figure): string {
  const [median, low, high] = [figure.median, figure.low, figure.high].map((value) => value.toFixed(0));
  return `${median} ms (${low}–${high})${mark(figure)}`;
}

/** Milliseconds with two digits. */
export function fineMilliseconds(figure: Figure): string {
  const [median, low, high] = [figure.median, figure.low, figure.high].map((value) => value.toFixed(2));
  return `${median} ms (${low}–${high})${mark(figure)}`;
}

export function kilobytes(bytes: number): string {
  return `${(bytes / 1e3).toFixed(0)} kB`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const alignment = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [head, alignment, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function mark({ median, low, high }: Figure): string {
  return (high - low) / median > NOISY ? ' \\*' : '';
}
