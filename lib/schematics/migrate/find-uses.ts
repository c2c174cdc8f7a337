import type ts from 'typescript';
import { nodesOf, type Source } from '../source/source-text.js';
import { loadTypeScript } from '../source/typescript.js';

/** One place of the recipe passport-jwt + jwks-rsa. */
export interface Use {
  readonly path: string;
  readonly line: number;
  readonly found: string;
  /** What takes its place. */
  readonly advice: string;
  /** A guard that `@Authorized()` alone does not replace. */
  readonly isSpecialGuard?: boolean;
}

const GUIDE = 'docs/guides/migrating.md';

/** Returns every place of the recipe in a file. */
export function usesIn(source: Source): readonly Use[] {
  const { file, path } = source;
  const { isCallExpression } = loadTypeScript();
  const at = (node: ts.Node, found: string, advice: string): Use => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    return { path, line: line + 1, found, advice };
  };
  const strategies = strategiesIn(source).map((strategy) =>
    at(
      strategy,
      `class ${strategy.name?.text ?? ''} extends PassportStrategy`,
      `AuthModule with issuer and audience; validate becomes its option (${GUIDE})`,
    ),
  );
  const calls = nodesOf(file, isCallExpression).flatMap((call) => {
    const callee = call.expression.getText();
    if (callee === 'passportJwtSecret')
      return [at(call, callee, 'AuthModule reads the key set itself: its options jwksUri and metadata')];
    if (!isJwtGuard(call)) return [];
    return [{ ...at(call, call.getText(), guardAdvice(call)), isSpecialGuard: !isPlainDecorator(call) }];
  });
  return [...strategies, ...calls].toSorted((a, b) => a.line - b.line);
}

/** The classes of a file that extend passport-jwt's strategy. */
export function strategiesIn({ file }: Source): readonly ts.ClassDeclaration[] {
  const { isCallExpression, isClassDeclaration } = loadTypeScript();
  if (!/from\s+['"]passport-jwt['"]/.test(file.text)) return [];
  return nodesOf(file, isClassDeclaration).filter((declaration) =>
    declaration.heritageClauses?.some(({ types }) =>
      types.some(
        ({ expression }) =>
          isCallExpression(expression) && expression.expression.getText() === 'PassportStrategy',
      ),
    ),
  );
}

/** Whether a call is `AuthGuard('jwt')`, or `AuthGuard()` with the default strategy. */
export function isJwtGuard({ expression, arguments: args }: ts.CallExpression): boolean {
  if (expression.getText() !== 'AuthGuard') return false;
  return args.length === 0 || args.some((argument) => /['"]jwt['"]/.test(argument.getText()));
}

/** Whether a guard stands alone in `@UseGuards(AuthGuard('jwt'))`, where `@Authorized()` is the same. */
export function isPlainDecorator(guard: ts.CallExpression): boolean {
  const { isCallExpression, isDecorator, isStringLiteral } = loadTypeScript();
  const { parent } = guard;
  const [name] = guard.arguments;
  return (
    isCallExpression(parent) &&
    parent.expression.getText() === 'UseGuards' &&
    parent.arguments.length === 1 &&
    isDecorator(parent.parent) &&
    guard.arguments.length === 1 &&
    name !== undefined &&
    isStringLiteral(name)
  );
}

function guardAdvice(guard: ts.CallExpression): string {
  if (isPlainDecorator(guard)) return '@Authorized()';
  return "@Authorized(), or secureByDefault: true for the whole application; in a list of strategies AuthGuard(['resilient-jwt', …])";
}
