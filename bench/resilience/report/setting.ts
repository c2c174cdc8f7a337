import { readFileSync } from 'node:fs';
import { cpus, platform, release, totalmem } from 'node:os';
import type { Library } from '../libraries/index.js';

const ROOT = new URL('../../../../', import.meta.url);

/** Where the report goes. */
export const DOCS = new URL('docs/', ROOT);

/** `name version` of each package of a library, as installed. */
export function versions({ packages }: Library): string {
  return packages
    .map((name, index) => `${name} ${versionOf(name, index === 0 ? ROOT : undefined)}`)
    .join(', ');
}

function versionOf(name: string, root: URL | undefined): string {
  const own = root && manifest(new URL('package.json', root));
  return (own?.name === name ? own : manifest(new URL(`node_modules/${name}/package.json`, ROOT))).version;
}

function manifest(file: URL): { name: string; version: string } {
  const read: { name: string; version: string } = JSON.parse(readFileSync(file, 'utf8'));
  return read;
}

export function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${release()}, Node ${process.version}`;
}
