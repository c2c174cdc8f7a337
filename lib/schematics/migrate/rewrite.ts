import type ts from 'typescript';
import type { Tree } from '../schematic.js';
import { hasName, metadataOf, withModules } from '../nest-add/root-module.js';
import { removeElementEdit, removeImportEdit } from '../source/list-edits.js';
import { applyEdits, importEdit, nodesOf, parse, type Edit, type Source } from '../source/source-text.js';
import { loadTypeScript } from '../source/typescript.js';
import { isJwtGuard, isPlainDecorator } from './find-uses.js';
import type { Recipe } from './recipe.js';

const PACKAGE = 'nestjs-resilient-auth';

/** Returns the module that provides a strategy; a text that says why it is not the only place that knows it. */
export function moduleOf(
  sources: readonly Source[],
  strategyPath: string,
  className: string,
): Source | string {
  const others = sources.filter(
    ({ path, text }) => path !== strategyPath && new RegExp(`\\b${className}\\b`).test(text),
  );
  const [module, second] = others;
  if (!module || second) return `${className} is not named by exactly one other file`;
  const identifiers = identifiersOf(module, className);
  const elements = elementsOf(module, className);
  const isKnown =
    elements.some(({ list }) => list === 'providers') && identifiers.length === elements.length + 1;
  return isKnown ? module : `${module.path} does more with ${className} than to provide it`;
}

/** Replaces the strategy by `AuthModule` in the module that provided it. */
export function replaceStrategy(tree: Tree, path: string, { className, options }: Recipe): void {
  edit(tree, path, (source) =>
    elementsOf(source, className).map(({ array, element }) => removeElementEdit(source, array, element)),
  );
  edit(tree, path, (source) => [removeImportEdit(source, className)]);
  const source = parse(tree, path);
  const metadata = source && metadataOf(source.file);
  if (!source || !metadata) return;
  const name = hasName(tree, path, 'AuthModule') ? 'ResilientAuthModule' : 'AuthModule';
  const expression = `${name}.forRootAsync({ useFactory: () => ({ ${options.join(', ')} }) })`;
  tree.overwrite(path, withModules({ source, metadata }, [{ expression, imports: [[name, PACKAGE]] }]));
}

/** Replaces `@UseGuards(AuthGuard('jwt'))` by `@Authorized()`. @returns how many */
export function replaceGuards(tree: Tree, path: string): number {
  const { isCallExpression } = loadTypeScript();
  let count = 0;
  edit(tree, path, (source) => {
    const guards = nodesOf(source.file, isCallExpression).filter(
      (call) => isJwtGuard(call) && isPlainDecorator(call),
    );
    count = guards.length;
    return guards.map(({ parent }) => ({
      start: parent.getStart(),
      end: parent.getEnd(),
      text: 'Authorized()',
    }));
  });
  if (count === 0) return 0;
  edit(tree, path, (source) => [importEdit(source, [['Authorized', PACKAGE]])]);
  for (const name of ['AuthGuard', 'UseGuards'])
    edit(tree, path, (source) =>
      identifiersOf(source, name).length === 1 ? [removeImportEdit(source, name)] : [],
    );
  return count;
}

interface Element {
  readonly list: string;
  readonly array: ts.ArrayLiteralExpression;
  readonly element: ts.Expression;
}

/** Where a class stands in the lists of `@Module`. */
function elementsOf({ file }: Source, className: string): readonly Element[] {
  const { isArrayLiteralExpression, isIdentifier, isPropertyAssignment } = loadTypeScript();
  return (metadataOf(file)?.properties ?? []).flatMap((property) => {
    const list = property.name?.getText() ?? '';
    if (!isPropertyAssignment(property) || !['providers', 'exports'].includes(list)) return [];
    const array = property.initializer;
    if (!isArrayLiteralExpression(array)) return [];
    const element = array.elements.find((one) => isIdentifier(one) && one.text === className);
    return element ? [{ list, array, element }] : [];
  });
}

function identifiersOf({ file }: Source, name: string): readonly ts.Identifier[] {
  return nodesOf(file, loadTypeScript().isIdentifier).filter(({ text }) => text === name);
}

function edit(tree: Tree, path: string, editsOf: (source: Source) => readonly (Edit | undefined)[]): void {
  const source = parse(tree, path);
  if (!source) return;
  const edits = editsOf(source).filter((one): one is Edit => one !== undefined);
  if (edits.length > 0) tree.overwrite(path, applyEdits(source.text, edits));
}
