/** 0 % only for none, 100 % only for all. */
export function percent(share: number): string {
  if (share === 0) return '0';
  if (share < 0.01) return '< 1 %';
  return `${share < 1 ? Math.min(99, Math.round(share * 100)) : 100} %`;
}

export function duration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return 'never';
  if (milliseconds < 1000) return `${Math.ceil(milliseconds)} ms`;
  if (milliseconds < 120_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${Math.round(milliseconds / 60_000)} min`;
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
