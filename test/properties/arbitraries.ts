import * as fc from 'fast-check';

/** Names that mean something to JavaScript and nothing in JSON. */
const TREACHEROUS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'then',
  'toJSON',
  'length',
  'get',
  '',
];

const name = (likely: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...likely, '__proto__') },
    { weight: 1, arbitrary: fc.constantFrom(...TREACHEROUS) },
    { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
  );

/** A value with nothing in it that is worth shrinking. */
export const leaf: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    'null',
    'true',
    'false',
    '0',
    '-0',
    '1e999',
    '-1e999',
    '1e-999',
    '9'.repeat(400),
    '""',
    '[]',
    '{}',
    // JavaScript throws when it is to make text of this.
    '{"toString":1,"valueOf":1}',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => JSON.stringify(text)),
);

/** Nested far beyond what any document is, and what a recursive reader survives. */
const abyss: fc.Arbitrary<string> = fc
  .record({ depth: fc.constantFrom(40, 2000, 50_000), isArray: fc.boolean() })
  .map(({ depth, isArray }) =>
    isArray ? `${'['.repeat(depth)}${']'.repeat(depth)}` : `${'{"a":'.repeat(depth)}0${'}'.repeat(depth)}`,
  );

/**
 * JSON as text, because that is how it arrives: `__proto__` is then a member like any other, names come twice, and
 * numbers may be too large for a number.
 *
 * @param likely member names the reader looks for
 */
export function jsonText(likely: readonly string[] = []): fc.Arbitrary<string> {
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 4, arbitrary: leaf },
      {
        weight: 2,
        arbitrary: fc.array(tie('tree'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
      },
      { weight: 3, arbitrary: objectText(name(likely), tie('tree')) },
    ),
  }));
  return fc.oneof({ weight: 30, arbitrary: tree }, { weight: 1, arbitrary: abyss });
}

function objectText(names: fc.Arbitrary<string>, values: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .array(fc.tuple(names, values), { maxLength: 6 })
    .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`);
}

/** An object with these members, each there or not, and anything in it. */
export function objectOf(members: readonly string[]): fc.Arbitrary<string> {
  const value = fc.oneof({ weight: 4, arbitrary: leaf }, { weight: 3, arbitrary: jsonText(TREACHEROUS) });
  return objectText(name(members), value);
}
