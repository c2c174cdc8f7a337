// Fails on a test title that does not start, after its row tags, with a verb of this list: what the unit does, and when.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** In the third person and present tense; a verb that is missing belongs here when it says what a test can see. */
const verbs = new Set(
  `aborts accepts adds adopts allows answers applies authenticates boots calls cancels carries changes checks closes
  compares compiles completes continues counts covers creates cuts delays disconnects documents doubles draws emits ends
  extends fails fetches finds follows forgets freezes frees gives hangs holds ignores keeps leaves lengthens limits loads
  logs makes maps moves names opens overrides plans points protects publishes reads records redirects refreshes rejects releases
  removes replaces reports requires resets resolves retries returns runs searches sends serves sets settles shares signs
  skips starts states stays stops streams takes throws tries truncates uses verifies waits warns withdraws writes`.split(
    /\s+/,
  ),
);
const tags = /^(\[[A-Z]?\d+[a-z]?(-\d+[a-z]?)?\][ ,]*)*/;
const modifiers = new Set(
  'concurrent each extend fails for only runIf sequential skip skipIf todo'.split(' '),
);

const files = execFileSync('git', ['ls-files', '-z', '-c', '-o', '--exclude-standard', 'test', 'sample-app']);
const found = files
  .toString()
  .split('\0')
  .filter((file) => /[.-]spec\.ts$/.test(file))
  .flatMap(problemsOf);
if (found.length > 0) {
  console.error(`${found.join('\n')}\n${found.length} titles; CONTRIBUTING.md says how to word them`);
  process.exitCode = 1;
}

function problemsOf(file) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const problems = [];
  const visit = (node) => {
    const title = titleOf(node);
    if (title && !titlesIn(title, node.expression, source).every(startsWithVerb)) {
      const { line } = source.getLineAndCharacterOfPosition(title.getStart());
      problems.push(
        `${file}:${line + 1}: starts with no verb of scripts/check-titles.mjs: ${title.getText()}`,
      );
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return problems;
}

/** The first argument of `it(…)`, `it.each(…)(…)` and the like. */
function titleOf(node) {
  if (!ts.isCallExpression(node) || node.arguments.length < 2) return undefined;
  let callee = node.expression;
  if (ts.isPropertyAccessExpression(callee) && /^(each|for|skipIf|runIf|extend)$/.test(callee.name.text))
    return undefined;
  for (;;) {
    if (ts.isCallExpression(callee)) callee = callee.expression;
    else if (ts.isTaggedTemplateExpression(callee)) callee = callee.tag;
    else if (ts.isPropertyAccessExpression(callee) && modifiers.has(callee.name.text))
      callee = callee.expression;
    else break;
  }
  return ts.isIdentifier(callee) && /^(it|test)$/.test(callee.text) ? node.arguments[0] : undefined;
}

/** A title that starts with a placeholder is as many titles as its table has rows. */
function titlesIn(title, callee, source) {
  const text = (ts.isTemplateExpression(title) ? title.head : title).text ?? '';
  const [, placeholder, name] = /^(%s|\$(\w+))/.exec(text.replace(tags, '')) ?? [];
  if (!placeholder) return [text];
  const table = ts.isCallExpression(callee) ? literalOf(callee.arguments[0], source) : undefined;
  if (!table || !ts.isArrayLiteralExpression(table)) return [''];
  return table.elements.map((row) => {
    const given = literalOf(row, source);
    const value = name
      ? memberOf(given, name)
      : ts.isArrayLiteralExpression(given)
        ? given.elements[0]
        : given;
    return value && ts.isStringLiteralLike(value) ? value.text : '';
  });
}

function memberOf(row, name) {
  if (!ts.isObjectLiteralExpression(row)) return undefined;
  return row.properties.find((property) => property.name?.getText() === name)?.initializer;
}

/** Without `as const`, and with the value in place of the name of a constant. */
function literalOf(expression, source) {
  if (
    ts.isAsExpression(expression) ||
    ts.isSatisfiesExpression(expression) ||
    ts.isParenthesizedExpression(expression)
  )
    return literalOf(expression.expression, source);
  if (!ts.isIdentifier(expression)) return expression;
  let value = expression;
  const visit = (node) => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === expression.text && node.initializer)
      value = literalOf(node.initializer, source);
    else ts.forEachChild(node, visit);
  };
  visit(source);
  return value;
}

function startsWithVerb(title) {
  const [first = '', second = ''] = title.replace(tags, '').split(/[^\w']+/);
  return verbs.has(first) || (first === 'does' && second === 'not');
}
