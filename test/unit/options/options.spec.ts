import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { AuthConfigurationError } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { resolveAuthOptions } from '../../../lib/options/resolve-options.js';
import { inlineOptionsSchema } from '../../../lib/options/schema.js';
import { ELSEWHERE, OPTIONS } from './options-table.js';

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
const documentation = read('docs/options.md');
const declarations = `${read('lib/auth.options.ts')}${read('lib/metadata/metadata-options.ts')}`;
const bare = (option: string): string => option.replace('metadata.', '');

/** Valid options, with one of them replaced. */
function withOption(option: string, value: unknown): object {
  const valid = { issuer: 'https://issuer.test', audience: 'api' };
  return option.startsWith('metadata.')
    ? { ...valid, metadata: { [bare(option)]: value } }
    : { ...valid, [option]: value };
}

function errorOf(options: object): AuthConfigurationError {
  try {
    resolveAuthOptions(options, {});
  } catch (error) {
    if (error instanceof AuthConfigurationError) return error;
    throw error;
  }
  throw new Error(`Accepted: ${inspect(options)}`);
}

describe.each(OPTIONS)('$option', ({ option, resolved, accepted, refused, message, ...row }) => {
  it('returns the default of the table when it is left out or undefined', () => {
    if (!resolved) return;
    const [value, of] = resolved;
    for (const options of [
      { issuer: 'https://issuer.test', audience: 'api' },
      withOption(option, undefined),
    ]) {
      const result = resolveAuthOptions(options, {});
      for (const issuer of result.issuers) expect(of(result, issuer)).toEqual(value);
    }
  });

  it('accepts the values of the table, its bounds among them', () => {
    for (const value of accepted)
      expect(() => resolveAuthOptions(withOption(option, value), {})).not.toThrow();
  });

  it.each(refused.map((value) => ({ value })))(
    '[7] throws an error with name, value and bounds when it is $value',
    ({ value }) => {
      const error = errorOf(withOption(option, value));
      const [problem] = error.problems;
      expect(error.problems).toHaveLength(1);
      expect(
        problem?.option
          .replace(/\[\d+\]$/, '')
          .replace(/^(tokenCache|mtls|dpop|protectedResource)\..*/, '$1'),
      ).toBe(option);
      expect(problem?.allowed).toMatch(message);
      expect(error.message).toContain(
        `${problem?.option}: got ${problem?.given}; allowed: ${problem?.allowed}`,
      );
    },
  );

  it('documents this default and these bounds in docs/options.md', () => {
    const [, section] = documentation.split(`### \`${bare(option)}\`\n\n`);
    expect(section?.split('\n')[0]).toBe(`Default: ${row.default} · Bounds: ${row.bounds}`);
  });
});

describe.each(OPTIONS.filter(({ inTsdoc = true }) => inTsdoc))(
  'the docstring of $option',
  ({ option, ...row }) => {
    it('states the default and the bounds of the table', () => {
      const [before] = declarations.split(`\n  ${bare(option)}?: `);
      const docstring = before?.slice(before.lastIndexOf('/**')).replaceAll(/\s*\n\s*\*\s*/g, ' ');
      expect(docstring).toContain(`Default ${row.default}, ${row.bounds}`);
    });
  },
);

describe('the table of options', () => {
  const ofSchema = Object.keys(inlineOptionsSchema.entries);
  const ofMetadata = Object.keys(inlineOptionsSchema.entries.metadata.wrapped.entries);

  it('names every option of the schema', () => {
    const all = [
      ...ofSchema.filter((name) => !ELSEWHERE.includes(name)),
      ...ofMetadata.map((name) => `metadata.${name}`),
    ];
    expect(OPTIONS.map(({ option }) => option).toSorted()).toEqual(all.toSorted());
  });

  it('names only options that have a heading in docs/options.md', () => {
    const headings = [...documentation.matchAll(/^### `(\w+)`$/gm)].map(([, name]) => name);
    const documented = [...ofSchema, ...ofMetadata].filter((name) => name !== 'issuers');
    expect(headings).toEqual(expect.arrayContaining(documented));
  });

  it('[7] reports every option when several are wrong at once', () => {
    const wrong = OPTIONS.filter(({ option }) => option !== 'tenants' && option !== 'issuer');
    const metadata: Record<string, unknown> = {};
    const options: Record<string, unknown> = { issuer: 'https://issuer.test', metadata };
    for (const { option, refused } of wrong) {
      if (option.startsWith('metadata.')) metadata[bare(option)] = refused[0];
      else options[option] = refused[0];
    }
    const { problems, message } = errorOf(options);
    const reported = problems.map(({ option }) => option.replace(/\[\d+\]$/, ''));
    expect(reported.toSorted()).toEqual(wrong.map(({ option }) => option).toSorted());
    for (const option of reported) expect(message).toContain(option);
  });
});
