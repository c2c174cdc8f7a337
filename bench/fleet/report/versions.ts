import { readFileSync } from 'node:fs';

const ROOT = new URL('../../../../', import.meta.url);

/** Of the packages that matter here. @param redis its version, where one was started */
export function versions(redis: string | undefined): string {
  const own = versionIn('package.json');
  const [nest, ioredis] = ['@nestjs/core', 'ioredis'].map((name) =>
    versionIn(`node_modules/${name}/package.json`),
  );
  const server = redis === undefined ? '' : `, Redis ${redis}`;
  return `nestjs-resilient-auth ${own}, @nestjs/core ${nest}, ioredis ${ioredis}${server}`;
}

/** The source of a file of this bench, to be shown as it is compiled. */
export function source(name: string): string {
  return readFileSync(new URL(`bench/fleet/${name}`, ROOT), 'utf8');
}

function versionIn(manifest: string): string {
  const { version }: { version: string } = JSON.parse(readFileSync(new URL(manifest, ROOT), 'utf8'));
  return version;
}
