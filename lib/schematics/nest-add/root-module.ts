import type ts from 'typescript';
import { textOf, type Tree } from '../schematic.js';
import {
  applyEdits,
  importEdit,
  importedFrom,
  importStyleOf,
  nodesOf,
  parse,
  type Edit,
  type Source,
} from '../source/source-text.js';
import { loadTypeScript } from '../source/typescript.js';

/** The module that an application starts with. */
export interface RootModule {
  readonly source: Source;
  /** The argument of its `@Module`. */
  readonly metadata: ts.ObjectLiteralExpression;
}

/**
 * Finds the module that `main.ts` hands to `NestFactory`.
 *
 * @param given its path, when the user names it
 * @throws {Error} when there is none, or its metadata is no object literal
 */
export function findRootModule(tree: Tree, sourceRoot: string, given: string | undefined): RootModule {
  const path = given ?? pathInMain(tree, sourceRoot) ?? `${sourceRoot}/app.module.ts`;
  const source = parse(tree, path);
  if (!source) throw new Error(`There is no root module ${path}: name it with --module=src/my.module.ts`);
  const metadata = metadataOf(source.file);
  if (metadata) return { source, metadata };
  throw new Error(
    `${path} has no class with @Module({ … }), the metadata written there: name the root module with --module`,
  );
}

function pathInMain(tree: Tree, sourceRoot: string): string | undefined {
  const main = parse(tree, `${sourceRoot}/main.ts`);
  if (!main) return undefined;
  const { isCallExpression, isIdentifier, isPropertyAccessExpression } = loadTypeScript();
  for (const { expression, arguments: args } of nodesOf(main.file, isCallExpression)) {
    const [module] = args;
    const isFactory =
      isPropertyAccessExpression(expression) && expression.expression.getText() === 'NestFactory';
    const path =
      isFactory && module && isIdentifier(module) ? importedFrom(tree, main, module.text) : undefined;
    if (path) return path;
  }
  return undefined;
}

/** The argument of the first `@Module` of a file, when it is written there. */
export function metadataOf(file: ts.SourceFile): ts.ObjectLiteralExpression | undefined {
  const { isCallExpression, isDecorator, isObjectLiteralExpression } = loadTypeScript();
  for (const { expression } of nodesOf(file, isDecorator)) {
    if (!isCallExpression(expression) || expression.expression.getText() !== 'Module') continue;
    const [metadata] = expression.arguments;
    if (metadata && isObjectLiteralExpression(metadata)) return metadata;
  }
  return undefined;
}

/** One module to add to `imports`, with the declarations it is imported by. */
export interface AddedModule {
  readonly expression: string;
  readonly imports: readonly (readonly [names: string, from: string])[];
}

/**
 * Returns the text of the root module with further imports, in front of those it has: global guards run in this order.
 *
 * @throws {Error} when `imports` is no list that is written there
 */
export function withModules({ source, metadata }: RootModule, added: readonly AddedModule[]): string {
  const { newline } = importStyleOf(source);
  const declarations = added.flatMap(({ imports }) => imports);
  const expressions = added.map(({ expression }) => expression);
  return applyEdits(source.text, [
    importEdit(source, declarations),
    listEdit(source, metadata, expressions, newline),
  ]);
}

function listEdit(
  source: Source,
  metadata: ts.ObjectLiteralExpression,
  expressions: readonly string[],
  newline: string,
): Edit {
  const { isArrayLiteralExpression, isPropertyAssignment } = loadTypeScript();
  const indent = indentOf(source, metadata);
  const lines = expressions.map((expression) => `${newline}${indent}${indent}${expression},`).join('');
  const property = metadata.properties.find(({ name }) => name?.getText() === 'imports');
  if (!property) {
    const start = metadata.getStart() + 1;
    const rest = metadata.properties.length > 0 ? '' : newline;
    return { start, end: start, text: `${newline}${indent}imports: [${lines}${newline}${indent}],${rest}` };
  }
  const list = isPropertyAssignment(property) ? property.initializer : undefined;
  if (!list || !isArrayLiteralExpression(list))
    throw new Error(
      `imports in ${source.path} is no list that is written there: add to it ${expressions.join(', ')}`,
    );
  const start = list.getStart() + 1;
  const inner = source.text.slice(start, list.getEnd() - 1);
  // Each on its own line already, or none.
  if (inner.trimEnd() === '' || /^\s*\r?\n/.test(inner))
    return { start, end: start, text: inner.includes('\n') ? lines : `${lines}${newline}${indent}` };
  const others = list.elements.map((element) => `${newline}${indent}${indent}${element.getText()},`).join('');
  const isPlain = !/\/[/*]/.test(inner);
  return isPlain
    ? { start, end: list.getEnd() - 1, text: `${lines}${others}${newline}${indent}` }
    : { start, end: start, text: `${expressions.join(', ')}, ` };
}

/** What one level is, from the first property of the metadata. */
function indentOf({ text }: Source, metadata: ts.ObjectLiteralExpression): string {
  const start = metadata.properties[0]?.getStart() ?? 0;
  const line = text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
  return line !== '' && line.trim() === '' ? line : '  ';
}

/** Whether a file declares or imports a name. */
export function hasName(tree: Tree, path: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(textOf(tree, path) ?? '');
}
