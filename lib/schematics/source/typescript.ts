import { createRequire } from 'node:module';
import { join } from 'node:path';
import type ts from 'typescript';

type TypeScript = typeof ts;

/** Who has TypeScript: the workspace, or the Nest CLI in it. */
const OWNERS = [[], ['@nestjs/cli/package.json']] as const;

/**
 * Loads the TypeScript of the workspace, so that the library needs none of its own.
 *
 * @throws {Error} when there is none whose API can parse a file
 */
export function loadTypeScript(root = process.cwd()): TypeScript {
  for (const path of OWNERS) {
    const loaded = tryLoad(root, path);
    if (isTypeScript(loaded)) return loaded;
  }
  throw new Error(
    'This schematic reads the source with TypeScript, and finds none in the workspace: install typescript (5 or 6) as a development dependency',
  );
}

function tryLoad(root: string, path: readonly string[]): unknown {
  try {
    let require = createRequire(join(root, 'package.json'));
    for (const owner of path) require = createRequire(require.resolve(owner));
    return require('typescript');
  } catch {
    return undefined;
  }
}

/** The compiler that is written in Go has no such API. */
function isTypeScript(loaded: unknown): loaded is TypeScript {
  return typeof loaded === 'object' && loaded !== null && 'createSourceFile' in loaded;
}
