import { textOf, write, type Tree } from '../schematic.js';

type Manifest = Record<string, unknown>;

/** The package.json of the workspace. @throws {Error} when there is none */
export function readManifest(tree: Tree): Manifest {
  return parseObject(textOf(tree, 'package.json')) ?? fail();
}

/** Adds dependencies that are missing, sorted as npm sorts them. @returns the names that were added */
export function addDependencies(tree: Tree, wanted: Readonly<Record<string, string>>): readonly string[] {
  const text = textOf(tree, 'package.json') ?? '';
  const manifest = readManifest(tree);
  const present = { ...objectAt(manifest, 'devDependencies'), ...objectAt(manifest, 'dependencies') };
  const added = Object.keys(wanted).filter((name) => !(name in present));
  if (added.length === 0) return [];
  const all = {
    ...objectAt(manifest, 'dependencies'),
    ...Object.fromEntries(added.map((name) => [name, wanted[name]])),
  };
  const dependencies = Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? '  ';
  write(
    tree,
    'package.json',
    JSON.stringify({ ...manifest, dependencies }, null, indent) + (text.endsWith('\n') ? '\n' : ''),
  );
  return added;
}

/** The major version of Nest: of what is installed, or of what package.json asks for. */
export function nestMajor(tree: Tree): 11 | 12 {
  const installed = parseObject(textOf(tree, 'node_modules/@nestjs/core/package.json'))?.['version'];
  const wanted = objectAt(readManifest(tree), 'dependencies')['@nestjs/core'];
  const version = typeof installed === 'string' ? installed : wanted;
  return typeof version === 'string' && /^\D*11\b/.test(version) ? 11 : 12;
}

/** The package manager whose lock file is there. */
export function packageManagerOf(tree: Tree): string {
  if (tree.exists('pnpm-lock.yaml')) return 'pnpm';
  if (tree.exists('yarn.lock')) return 'yarn';
  return tree.exists('bun.lock') || tree.exists('bun.lockb') ? 'bun' : 'npm';
}

function objectAt(manifest: Manifest, name: string): Manifest {
  const value = manifest[name];
  return isObject(value) ? value : {};
}

function parseObject(text: string | undefined): Manifest | undefined {
  const parsed: unknown = text === undefined ? undefined : JSON.parse(text);
  return isObject(parsed) ? parsed : undefined;
}

function isObject(value: unknown): value is Manifest {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fail(): never {
  throw new Error('There is no package.json here: run the schematic in the root folder of the workspace');
}
