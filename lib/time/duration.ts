import ms from 'ms';

const SYNTAX = /^\d+(\.\d+)? ?[a-z]+$/i;

/** Milliseconds of a string with its unit, as in `'5m'`; `undefined` for any other value, `'60'` included. */
export function parseDuration(text: unknown): number | undefined {
  if (!isDurationString(text)) return undefined;
  const milliseconds: number | undefined = ms(text);
  return Number.isFinite(milliseconds) ? milliseconds : undefined;
}

function isDurationString(text: unknown): text is ms.StringValue {
  return typeof text === 'string' && SYNTAX.test(text);
}
