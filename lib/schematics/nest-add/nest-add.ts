import { posix } from 'node:path';
import { installTask, type Rule, type SchematicContext, type Tree } from '../schematic.js';
import { importStyleOf, type Source } from '../source/source-text.js';
import { addVariables } from './env-example.js';
import { addDependencies, nestMajor, packageManagerOf, readManifest } from './package-manifest.js';
import { isPresetName, variablesOf, type PresetName } from './provider-presets.js';
import { findRootModule, hasName, withModules, type AddedModule, type RootModule } from './root-module.js';
import { healthFile, optionsFile } from './templates.js';

/** The options of `nest add nestjs-resilient-auth`; schematics/nest-add.schema.json describes them. */
export interface NestAddOptions {
  /** Of the project, as the Nest CLI passes it. Default `src`. */
  readonly sourceRoot?: string;
  /** Path of the root module. Default: the one that `main.ts` starts. */
  readonly module?: string;
  /** A function of `nestjs-resilient-auth/presets`, or `none`. Default `none`. */
  readonly preset?: string;
  readonly audience?: string;
  /** Default `true`. */
  readonly secureByDefault?: boolean;
  /** Default `false`. */
  readonly health?: boolean;
  /** Default `false`. */
  readonly skipInstall?: boolean;
}

const PACKAGE = 'nestjs-resilient-auth';

/** Adds `AuthModule` to the root module of an application. Run again, it adds what is missing. */
export function nestAdd(options: NestAddOptions): Rule {
  return (tree, context) => {
    const preset = options.preset ?? 'none';
    if (!isPresetName(preset)) throw new Error(`There is no preset ${preset}`);
    const sourceRoot = posix.normalize(options.sourceRoot || 'src');
    const root = findRootModule(tree, sourceRoot, options.module);
    if (addAuthModule(tree, context, root, preset, options))
      announce(context, addVariables(tree, variablesOf(preset, options.audience)), options);
    if (options.health) addHealth(tree, context, root.source.path);
    addPeers(tree, context, options);
  };
}

function addAuthModule(
  tree: Tree,
  { logger }: SchematicContext,
  root: RootModule,
  preset: PresetName,
  { secureByDefault = true }: NestAddOptions,
): boolean {
  const { source } = root;
  if (/\b(?:Resilient)?AuthModule\.forRoot(?:Async)?\(/.test(source.text) && source.text.includes(PACKAGE)) {
    logger.info(`${source.path} has AuthModule already`);
    return false;
  }
  const file = `${posix.dirname(source.path)}/auth.options.ts`;
  if (tree.exists(file))
    throw new Error(`${file} is there already, and is not of ${PACKAGE}: rename it first`);
  // An application may have a module of that name.
  const name = hasName(tree, source.path, 'AuthModule') ? 'ResilientAuthModule' : 'AuthModule';
  const secure = secureByDefault ? ', secureByDefault: true' : '';
  tree.create(file, optionsFile(preset, importStyleOf(source)));
  tree.overwrite(
    source.path,
    withModules(root, [
      {
        expression: `${name}.forRootAsync({ useFactory: authOptions${secure} })`,
        imports: [
          [name, PACKAGE],
          ['authOptions', `./auth.options${extensionOf(tree, source)}`],
        ],
      },
    ]),
  );
  return true;
}

function addHealth(tree: Tree, { logger }: SchematicContext, modulePath: string): void {
  const file = `${posix.dirname(modulePath)}/auth-health.module.ts`;
  if (tree.exists(file)) {
    logger.info(`${file} is there already`);
    return;
  }
  const root = findRootModule(tree, '', modulePath);
  const health: AddedModule = {
    expression: 'AuthHealthModule',
    imports: [['AuthHealthModule', `./auth-health.module${extensionOf(tree, root.source)}`]],
  };
  tree.create(file, healthFile(importStyleOf(root.source)));
  tree.overwrite(modulePath, withModules(root, [health]));
}

function addPeers(tree: Tree, context: SchematicContext, { health, skipInstall }: NestAddOptions): void {
  const major = nestMajor(tree);
  const added = addDependencies(tree, {
    '@nestjs/passport': major === 11 ? '^11.0.2' : '^12.0.0',
    passport: '^0.7.0',
    ...(health && { '@nestjs/terminus': major === 11 ? '^11.0.0' : '^12.0.0' }),
  });
  if (added.length === 0) return;
  context.logger.info(`Added to package.json: ${added.join(', ')}`);
  if (!skipInstall) context.addTask(installTask(packageManagerOf(tree)));
}

/** `.js` where modules are ECMAScript modules: Node resolves full names only. */
function extensionOf(tree: Tree, { text }: Source): string {
  const relative = [...text.matchAll(/from\s+['"](\.[^'"]*)['"]/g)].map(([, specifier = '']) => specifier);
  if (relative.length > 0) return relative.some((specifier) => specifier.endsWith('.js')) ? '.js' : '';
  return readManifest(tree)['type'] === 'module' ? '.js' : '';
}

function announce(
  { logger }: SchematicContext,
  variables: readonly string[],
  { secureByDefault = true }: NestAddOptions,
): void {
  if (variables.length > 0)
    logger.info(
      `Set in the environment: ${variables.join(', ')} (.env.example lists them; Nest reads no .env by itself: nest start --env-file .env)`,
    );
  logger.info(
    secureByDefault
      ? 'Every route needs a token now; open one with @AllowAnonymous() of nestjs-resilient-auth'
      : 'Protect routes with @Authorized() of nestjs-resilient-auth',
  );
}
