import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Loads a package that an application has, as this file would find it. Its own path is read off a stack trace: Jest's
 * transform to CommonJS leaves `import.meta` as it is, and the file could not be loaded.
 */
export const requireHere: NodeJS.Require = createRequire(
  fileIn(new Error().stack) ?? join(process.cwd(), 'index.js'),
);

/** The file of the first frame. Folders may hold parentheses. */
export function fileIn(stack = ''): string | undefined {
  const file = /^ +at (?:[^\n]*? \()?(.+?):\d+:\d+\)?$/m.exec(stack)?.[1] ?? '';
  if (file.startsWith('file:')) return fileURLToPath(file);
  return isAbsolute(file) ? file : undefined;
}
