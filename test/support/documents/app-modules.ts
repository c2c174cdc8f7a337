import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Type } from '@nestjs/common';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Every `AppModule` of a folder of guides, as its readers copy it: its code, by page and position (`auth0#1`). */
export function appModulesIn(folder: string): ReadonlyMap<string, string> {
  const pages = readdirSync(join(root, folder)).filter((file) => file.endsWith('.md'));
  return new Map(
    pages.flatMap((page) => {
      const text = readFileSync(join(root, folder, page), 'utf8');
      const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
      return blocks
        .filter((code) => code.includes('class AppModule'))
        .map((code, index): [string, string] => [`${page.slice(0, -'.md'.length)}#${index + 1}`, code]);
    }),
  );
}

/** Compiles code of a guide with the settings of Nest's own template, and returns its `AppModule`. */
export async function importAppModule(name: string, code: string): Promise<Type> {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  // Inside the repository, so that its imports are resolved as those of a test.
  const folder = join(root, 'dist', 'guides');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name.replace('#', '-')}.js`);
  writeFileSync(file, outputText);
  const { AppModule }: { AppModule: Type } = await import(/* @vite-ignore */ file);
  return AppModule;
}
