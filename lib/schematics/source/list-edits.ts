import type ts from 'typescript';
import type { Edit, Source } from './source-text.js';
import { loadTypeScript } from './typescript.js';

/** Removes an element of a list with its comma, and its line where it had one of its own. */
export function removeElementEdit(
  { text }: Source,
  list: ts.ArrayLiteralExpression,
  element: ts.Expression,
): Edit {
  const index = list.elements.indexOf(element);
  const next = list.elements[index + 1];
  const previous = list.elements[index - 1];
  if (next) return { start: element.getStart(), end: next.getStart(), text: '' };
  const start = previous ? previous.getEnd() : list.getStart() + 1;
  const comma = /^\s*,/.exec(text.slice(element.getEnd()))?.[0].length ?? 0;
  return { start, end: element.getEnd() + (previous ? 0 : comma), text: '' };
}

/** Takes a name out of an import declaration, or the declaration with its last name. */
export function removeImportEdit({ file, text }: Source, name: string): Edit | undefined {
  const { isImportDeclaration, isNamedImports } = loadTypeScript();
  for (const declaration of file.statements) {
    if (!isImportDeclaration(declaration)) continue;
    const bindings = declaration.importClause?.namedBindings;
    if (!bindings || !isNamedImports(bindings)) continue;
    const others = bindings.elements.filter((element) => element.name.text !== name);
    if (others.length === bindings.elements.length) continue;
    if (others.length > 0) {
      const names = others.map((element) => element.getText()).join(', ');
      return { start: bindings.getStart(), end: bindings.getEnd(), text: `{ ${names} }` };
    }
    const newline = /^[ \t]*\r?\n/.exec(text.slice(declaration.getEnd()))?.[0].length ?? 0;
    return { start: declaration.getStart(), end: declaration.getEnd() + newline, text: '' };
  }
  return undefined;
}
