import * as v from 'valibot';
import { ALGORITHMS } from '../keys/algorithms.js';
import { parseDuration } from '../time/duration.js';

/*
 * The kinds of values options take. A message ends the sentence "allowed: …" and holds the bounds.
 */

export const text = (allowed: string) => v.pipe(v.string(allowed), v.nonEmpty(allowed));

export const list = <T extends v.GenericSchema>(item: T, allowed: string) =>
  v.pipe(v.array(item, allowed), v.nonEmpty(allowed), v.readonly());

const ALGORITHM_NAMES = ALGORITHMS.map(({ name }) => name);

/** Names of signature algorithms. */
export const algorithms = list(
  v.picklist(ALGORITHM_NAMES, `one of ${ALGORITHM_NAMES.join(', ')}; never none or HS*`),
  'a list of at least one algorithm',
);

/** A value, or a list of at least one; read as a list. */
export const oneOrMore = (allowed: string) =>
  v.pipe(
    v.union([text(allowed), list(text(allowed), allowed)], allowed),
    v.transform((value): readonly string[] => (typeof value === 'string' ? [value] : value)),
  );

export const func = <T>(allowed = 'a function') =>
  v.optional(v.custom<T>((value) => typeof value === 'function', allowed));

export const flag = (byDefault: boolean) => v.optional(v.boolean('true or false'), byDefault);

export function integer(byDefault: number, least: number, most = Number.MAX_SAFE_INTEGER) {
  const allowed = `a whole number, ${bounds(least, most === Number.MAX_SAFE_INTEGER ? undefined : most)}`;
  const check = (value: unknown): boolean =>
    Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
  return v.optional(v.custom<number>(check, allowed), byDefault);
}

/** Milliseconds, or a string with its unit; read as milliseconds. */
export function duration(byDefault: string, least: string, most?: string) {
  const allowed = `milliseconds or a string with its unit, ${bounds(least, most)}`;
  return v.optional(within(readDuration, allowed, least, most), byDefault);
}

/** A string with its unit; read as milliseconds. */
export function timespan(least: string, most?: string) {
  return within(parseDuration, `a string with its unit, ${bounds(least, most)}`, least, most);
}

function readDuration(value: unknown): number | undefined {
  return typeof value === 'number' ? value : parseDuration(value);
}

function within(
  read: (value: unknown) => number | undefined,
  allowed: string,
  least: string,
  most: string | undefined,
) {
  const [min, max] = [parseDuration(least) ?? 0, parseDuration(most) ?? Number.MAX_SAFE_INTEGER];
  return v.pipe(
    v.custom<number | string>((value) => {
      const given = read(value);
      return given !== undefined && given >= min && given <= max;
    }, allowed),
    v.transform((value) => read(value) ?? 0),
  );
}

function bounds(least: number | string, most?: number | string): string {
  return most === undefined ? `at least ${least}` : `from ${least} to ${most}`;
}
