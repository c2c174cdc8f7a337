import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { applyDecorators } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';
import { AuthConfigurationError } from '../errors/configuration.error.js';

/**
 * Fails the boot when this library and the application load different copies of Nest: Nest would not find the guard's
 * dependencies, and answer each refusal with 500, since `instanceof HttpException` is false for another copy's. Folders
 * are read off stack traces, since that is how Node has loaded them; in a bundle there are none, and only one copy.
 *
 * Called by the application's own copy of `@nestjs/core`.
 *
 * @throws {AuthConfigurationError} that names both folders
 */
export function assertSingleCopies(): void {
  const applications = folderIn(new Error().stack, 'core');
  const core = folderOfCaller('core', (callback) => {
    const prototype = { method: callback };
    new MetadataScanner().scanFromPrototype(prototype, prototype, callback);
  });
  assertSame('core', core, applications);
  const common = folderOfCaller('common', (callback) => applyDecorators(callback)(class {}));
  assertSame('common', common, core && commonOf(core));
}

function assertSame(name: string, ours: string | undefined, other: string | undefined): void {
  if (ours === undefined || other === undefined || ours === other) return;
  throw new AuthConfigurationError(
    `There are two copies of @nestjs/${name}: nestjs-resilient-auth loads ${ours}, the application ${other}. ` +
      'Install one version for both (npm ls, npm dedupe), and link packages so that they share node_modules',
  );
}

/** The folder of the package of Nest that calls a function. */
function folderOfCaller(name: string, call: (callback: () => void) => unknown): string | undefined {
  let stack: string | undefined;
  call(() => {
    stack ??= new Error().stack;
  });
  return folderIn(stack, name);
}

function folderIn(stack: string | undefined, name: string): string | undefined {
  const frame = new RegExp(`(?:\\(|at )([^()\\n]*?node_modules[\\\\/]@nestjs[\\\\/]${name})[\\\\/]`);
  const found = frame.exec(stack ?? '')?.[1];
  return found?.startsWith('file:') ? fileURLToPath(found) : found;
}

/** The copy of `@nestjs/common` that a copy of `@nestjs/core` loads. */
function commonOf(core: string): string | undefined {
  try {
    return dirname(
      createRequire(pathToFileURL(join(core, 'index.js'))).resolve('@nestjs/common/package.json'),
    );
  } catch {
    return undefined;
  }
}
