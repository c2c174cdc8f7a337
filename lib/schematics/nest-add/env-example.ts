import { textOf, write, type Tree } from '../schematic.js';

const FILE = '.env.example';

/** Adds variables that `.env.example` does not name yet. @returns their names */
export function addVariables(
  tree: Tree,
  variables: readonly (readonly [name: string, example: string])[],
): readonly string[] {
  const text = textOf(tree, FILE) ?? '';
  const missing = variables.filter(
    ([name]) => !new RegExp(`^\\s*#?\\s*(?:export\\s+)?${name}\\s*=`, 'm').test(text),
  );
  if (missing.length === 0) return [];
  const start = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  const lines = [
    '# Whose access tokens the API accepts (nestjs-resilient-auth)',
    ...missing.map((pair) => pair.join('=')),
  ];
  write(tree, FILE, `${start}${start === '' ? '' : '\n'}${lines.join('\n')}\n`);
  return missing.map(([name]) => name);
}
