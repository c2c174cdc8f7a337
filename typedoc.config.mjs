import { readFileSync } from 'node:fs';

// The API reference of every entry point in package.json: a new sub-path is in it without a change here.
const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/** @type {import('typedoc').TypeDocOptions} */
export default {
  name: 'nestjs-resilient-auth',
  entryPoints: Object.values(exports).flatMap(({ types }) =>
    types === undefined ? [] : [types.replace(/^\.\/dist\/(.+)\.d\.ts$/, '$1.ts')],
  ),
  tsconfig: 'tsconfig.build.json',
  out: 'dist/api',
  readme: 'none',
  includeVersion: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  disableSources: true,
  treatWarningsAsErrors: true,
  validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: true },
  requiredToBeDocumented: ['Class', 'Interface', 'TypeAlias', 'Variable'],
  // What Nest or passport passes between parts of this library, under symbols that it keeps to itself.
  intentionallyNotExported: ['StandIn', 'StrategyOptions'],
};
