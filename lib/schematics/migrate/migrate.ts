import { posix } from 'node:path';
import type { Rule, Tree } from '../schematic.js';
import { parse, type Source } from '../source/source-text.js';
import { strategiesIn, usesIn, type Use } from './find-uses.js';
import { recipeOf, type Recipe } from './recipe.js';
import { moduleOf, replaceGuards, replaceStrategy } from './rewrite.js';

/** The options of both schematics; schematics/migrate.schema.json describes them. */
export interface MigrateOptions {
  /** Default `src`. */
  readonly sourceRoot?: string;
}

/** Reports where an application uses passport-jwt with jwks-rsa, and changes nothing. */
export function migrate({ sourceRoot }: MigrateOptions): Rule {
  return migration(sourceRoot, false);
}

/**
 * Reports the same, and rewrites what has exactly the recipe's shape. A schematic of its own: `nest generate` refuses
 * options that it does not know.
 */
export function migrateRewrite({ sourceRoot }: MigrateOptions): Rule {
  return migration(sourceRoot, true);
}

function migration(sourceRoot: string | undefined, isRewriting: boolean): Rule {
  return (tree, { logger }) => {
    const root = posix.normalize(sourceRoot ?? 'src');
    const sources = pathsIn(tree, root).flatMap((path) => parse(tree, path) ?? []);
    const uses = sources.flatMap(usesIn);
    if (uses.length === 0) {
      logger.info(`Nothing in ${root} uses passport-jwt with jwks-rsa`);
      return;
    }
    for (const { path, line, found, advice } of uses)
      logger.info(`${path}:${line}  ${found}\n    -> ${advice}`);
    const plan = planFor(sources, uses);
    if (typeof plan === 'string')
      logger.warn(`Not rewritten by itself: ${plan}. docs/guides/migrating.md shows each step`);
    else if (isRewriting) carryOut(tree, plan, sources, (message) => logger.info(message));
    else logger.info('It has exactly the shape of the recipe: the schematic migrate-rewrite rewrites it');
  };
}

interface Plan {
  readonly recipe: Recipe;
  readonly strategyPath: string;
  readonly modulePath: string;
}

/** Returns what to rewrite; a text that says why nothing can be rewritten safely. */
function planFor(sources: readonly Source[], uses: readonly Use[]): Plan | string {
  const found = sources.flatMap((source) => strategiesIn(source).map((strategy) => ({ source, strategy })));
  const [first, second] = found;
  if (!first || second) return `there are ${found.length} strategies of passport-jwt`;
  const { source, strategy } = first;
  const recipe = recipeOf(source, strategy);
  if (typeof recipe === 'string') return `${source.path}: ${recipe}`;
  const other = uses.find((use) => use.isSpecialGuard);
  if (other) return `${other.path}:${other.line} uses ${other.found} otherwise than in @UseGuards alone`;
  if (sources.some(({ text }) => text.includes("'nestjs-resilient-auth'")))
    return 'nestjs-resilient-auth is in use already';
  const module = moduleOf(sources, source.path, recipe.className);
  return typeof module === 'string' ? module : { recipe, strategyPath: source.path, modulePath: module.path };
}

function carryOut(
  tree: Tree,
  { recipe, strategyPath, modulePath }: Plan,
  sources: readonly Source[],
  report: (message: string) => void,
): void {
  replaceStrategy(tree, modulePath, recipe);
  report(`${modulePath} imports AuthModule in place of ${recipe.className}`);
  tree.delete(strategyPath);
  report(`${strategyPath} is deleted`);
  for (const { path } of sources) {
    if (path === strategyPath) continue;
    const count = replaceGuards(tree, path);
    if (count > 0) report(`${path}: guards replaced by @Authorized(): ${count}`);
  }
  report(
    'passport-jwt and jwks-rsa can go from package.json, and PassportModule from the modules, where nothing else uses them',
  );
}

function pathsIn(tree: Tree, folder: string): readonly string[] {
  const { subdirs, subfiles } = tree.getDir(folder);
  const own = subfiles
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => `${folder}/${file}`);
  const below = subdirs
    .filter((name) => name !== 'node_modules')
    .flatMap((name) => pathsIn(tree, `${folder}/${name}`));
  return [...own, ...below].toSorted();
}
