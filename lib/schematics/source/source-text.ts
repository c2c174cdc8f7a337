import { posix } from 'node:path';
import type ts from 'typescript';
import { textOf, type Tree } from '../schematic.js';
import { loadTypeScript } from './typescript.js';

/** A replacement of a part of a text. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A parsed file. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly file: ts.SourceFile;
}

/** Parses a file; `undefined` when there is none. */
export function parse(tree: Tree, path: string): Source | undefined {
  const text = textOf(tree, path);
  if (text === undefined) return undefined;
  const { createSourceFile, ScriptTarget } = loadTypeScript();
  return { path, text, file: createSourceFile(path, text, ScriptTarget.Latest, true) };
}

/** Applies edits that do not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = text;
  for (const { start, end, text: replacement } of edits.toSorted(
    (a, b) => b.start - a.start || b.end - a.end,
  ))
    result = result.slice(0, start) + replacement + result.slice(end);
  return result;
}

/** Every node of a kind, in the order of the text. */
export function nodesOf<T extends ts.Node>(
  root: ts.Node,
  isKind: (node: ts.Node) => node is T,
): readonly T[] {
  const found: T[] = [];
  const visit = (node: ts.Node): void => {
    if (isKind(node)) found.push(node);
    node.forEachChild(visit);
  };
  visit(root);
  return found;
}

/** How the author of a file writes imports. */
export interface ImportStyle {
  readonly quote: string;
  readonly semicolon: string;
  readonly newline: string;
}

export function importStyleOf({ text, file }: Source): ImportStyle {
  const { isImportDeclaration } = loadTypeScript();
  const first = file.statements.find(isImportDeclaration)?.getText(file) ?? "'';";
  return {
    quote: first.includes('"') ? '"' : "'",
    semicolon: first.endsWith(';') ? ';' : '',
    newline: text.includes('\r\n') ? '\r\n' : '\n',
  };
}

/** Adds import declarations behind the last one. */
export function importEdit(
  source: Source,
  imports: readonly (readonly [names: string, from: string])[],
): Edit {
  const { isImportDeclaration } = loadTypeScript();
  const { quote, semicolon, newline } = importStyleOf(source);
  const last = source.file.statements.findLast((statement) => isImportDeclaration(statement));
  const lines = imports.map(
    ([names, from]) => `import { ${names} } from ${quote}${from}${quote}${semicolon}`,
  );
  if (!last) return { start: 0, end: 0, text: lines.join(newline) + newline + newline };
  const end = last.getEnd();
  return { start: end, end, text: lines.map((line) => newline + line).join('') };
}

/** Returns the file that a name is imported from; `undefined` for a package, or when there is no such import. */
export function importedFrom(tree: Tree, { path, file }: Source, name: string): string | undefined {
  const { isImportDeclaration, isNamedImports, isStringLiteral } = loadTypeScript();
  for (const statement of file.statements) {
    if (!isImportDeclaration(statement) || !isStringLiteral(statement.moduleSpecifier)) continue;
    const bindings = statement.importClause?.namedBindings;
    if (!bindings || !isNamedImports(bindings)) continue;
    if (bindings.elements.some((element) => element.name.text === name))
      return fileOf(tree, path, statement.moduleSpecifier.text);
  }
  return undefined;
}

/** The TypeScript file that a relative specifier names. */
function fileOf(tree: Tree, importer: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const base = posix.join(posix.dirname(importer), specifier);
  const candidates = [base.replace(/\.js$/, '.ts'), `${base}.ts`, `${base}/index.ts`, base];
  return candidates.find((candidate) => candidate.endsWith('.ts') && tree.exists(candidate));
}
