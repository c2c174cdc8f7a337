import type ts from 'typescript';
import { type Source } from '../source/source-text.js';
import { loadTypeScript } from '../source/typescript.js';

/** A strategy in exactly the shape of the recipe. */
export interface Recipe {
  readonly className: string;
  /** The members of `AuthModule`'s options, as text. */
  readonly options: readonly string[];
}

const STRATEGY_OPTIONS = new Set([
  'secretOrKeyProvider',
  'jwtFromRequest',
  'issuer',
  'audience',
  'algorithms',
  'ignoreExpiration',
]);
const JWKS_OPTIONS = new Set([
  'cache',
  'cacheMaxEntries',
  'cacheMaxAge',
  'rateLimit',
  'jwksRequestsPerMinute',
  'jwksUri',
  'timeout',
]);

/** Reads a strategy; returns why it is not exactly the recipe otherwise. */
export function recipeOf(source: Source, strategy: ts.ClassDeclaration): Recipe | string {
  const { isClassDeclaration, isImportDeclaration } = loadTypeScript();
  const isAlone = source.file.statements.every(
    (statement) =>
      isImportDeclaration(statement) || (isClassDeclaration(statement) && statement === strategy),
  );
  if (!isAlone) return 'its file holds more than the strategy';
  const given = argumentOfSuper(strategy);
  if (!given) return 'its constructor does more than to call super({ … })';
  if (!hasPlainValidate(strategy)) return 'its validate does more than to return the payload';
  const secret = given.get('secretOrKeyProvider');
  const jwks = secret && argumentOf(secret, 'passportJwtSecret');
  const [issuer, audience, jwksUri] = [given.get('issuer'), given.get('audience'), jwks?.get('jwksUri')].map(
    (value) => value && textValue(value),
  );
  if (!jwks || !jwksUri) return 'its keys do not come from passportJwtSecret({ jwksUri: … }) alone';
  if (!issuer || !audience)
    return 'issuer and audience are not both there, as a text or a variable of the environment';
  const unknown = [...given.keys()]
    .filter((name) => !STRATEGY_OPTIONS.has(name))
    .concat([...jwks.keys()].filter((name) => !JWKS_OPTIONS.has(name)));
  if (unknown.length > 0) return `it has the option ${unknown[0]}`;
  if (given.get('jwtFromRequest')?.getText() !== 'ExtractJwt.fromAuthHeaderAsBearerToken()')
    return 'its token does not come from the Authorization header';
  if ((given.get('ignoreExpiration')?.getText() ?? 'false') !== 'false') return 'it ignores the expiry';
  const algorithms = given.get('algorithms');
  if (algorithms && !isListOfTexts(algorithms)) return 'its algorithms are no list of texts';
  const options = [`issuer: ${issuer}`, `audience: ${audience}`, `jwksUri: ${jwksUri}`];
  return {
    className: strategy.name?.text ?? '',
    options: algorithms ? [...options, `algorithms: ${algorithms.getText()}`] : options,
  };
}

type Members = ReadonlyMap<string, ts.Expression>;

/** Of a constructor without parameters that does nothing else. */
function argumentOfSuper(strategy: ts.ClassDeclaration): Members | undefined {
  const { isConstructorDeclaration, isExpressionStatement, isMethodDeclaration } = loadTypeScript();
  const own = strategy.members.find((member) => isConstructorDeclaration(member));
  if (!own || own.parameters.length > 0 || own.body?.statements.length !== 1) return undefined;
  if (
    strategy.members.some(
      (member) => member !== own && !(isMethodDeclaration(member) && member.name.getText() === 'validate'),
    )
  )
    return undefined;
  const [statement] = own.body.statements;
  return statement && isExpressionStatement(statement)
    ? argumentOf(statement.expression, 'super')
    : undefined;
}

/** The members of the only argument of a call, where all are plain. */
function argumentOf(call: ts.Expression, callee: string): Members | undefined {
  const { isCallExpression, isObjectLiteralExpression, isPropertyAssignment } = loadTypeScript();
  if (!isCallExpression(call) || call.expression.getText() !== callee || call.arguments.length !== 1)
    return undefined;
  const [argument] = call.arguments;
  if (!argument || !isObjectLiteralExpression(argument)) return undefined;
  const members = new Map<string, ts.Expression>();
  for (const property of argument.properties) {
    if (!isPropertyAssignment(property)) return undefined;
    members.set(property.name.getText(), property.initializer);
  }
  return members;
}

function hasPlainValidate(strategy: ts.ClassDeclaration): boolean {
  const { isIdentifier, isMethodDeclaration, isReturnStatement } = loadTypeScript();
  const method = strategy.members.find((member) => isMethodDeclaration(member));
  const [parameter, ...others] = method?.parameters ?? [];
  const [statement, ...rest] = method?.body?.statements ?? [];
  if (!parameter || !statement || others.length > 0 || rest.length > 0 || !isReturnStatement(statement))
    return false;
  const { expression } = statement;
  return expression !== undefined && isIdentifier(expression) && expression.text === parameter.name.getText();
}

/** A text, or a variable of the environment: one that is missing then fails the boot. */
function textValue(value: ts.Expression): string | undefined {
  const { isNoSubstitutionTemplateLiteral, isStringLiteral, isTemplateExpression } = loadTypeScript();
  if (isStringLiteral(value) || isNoSubstitutionTemplateLiteral(value)) return value.getText();
  if (isVariable(value)) return `${value.getText()} ?? ''`;
  if (isTemplateExpression(value) && value.templateSpans.every(({ expression }) => isVariable(expression)))
    return value.getText();
  return undefined;
}

function isVariable(value: ts.Expression): boolean {
  return /^process\.env(?:\.\w+|\[['"]\w+['"]\])$/.test(value.getText());
}

function isListOfTexts(value: ts.Expression): boolean {
  const { isArrayLiteralExpression, isStringLiteral } = loadTypeScript();
  return (
    isArrayLiteralExpression(value) && value.elements.length > 0 && value.elements.every(isStringLiteral)
  );
}
