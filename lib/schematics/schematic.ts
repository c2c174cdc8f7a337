/*
 * What a schematic gets from the Nest CLI. Written down here rather than imported: the CLI brings @angular-devkit/schematics
 * itself, and applications that never run a schematic need none of it (docs/decisions/0026).
 */

/** The files of a workspace, as changed so far; paths are relative to its root. */
export interface Tree {
  exists(path: string): boolean;
  read(path: string): Uint8Array | null;
  create(path: string, content: string): void;
  overwrite(path: string, content: string): void;
  delete(path: string): void;
  getDir(path: string): Directory;
}

/** One folder of a {@link Tree}. */
interface Directory {
  readonly path: string;
  readonly subdirs: readonly string[];
  readonly subfiles: readonly string[];
}

/** What a schematic may do beside changing files. */
export interface SchematicContext {
  readonly logger: { info(message: string): void; warn(message: string): void };
  addTask(task: { toConfiguration(): { name: string; options?: object } }): unknown;
}

/** Changes a workspace. An error that is thrown leaves it as it was. */
export type Rule = (tree: Tree, context: SchematicContext) => void;

/** Returns the text of a file; `undefined` when there is none. */
export function textOf(tree: Tree, path: string): string | undefined {
  const content = tree.exists(path) ? tree.read(path) : null;
  return content === null ? undefined : Buffer.from(content).toString('utf8');
}

/** Writes a file, new or not. */
export function write(tree: Tree, path: string, content: string): void {
  if (tree.exists(path)) tree.overwrite(path, content);
  else tree.create(path, content);
}

/** The task of @angular-devkit/schematics that installs what package.json names. */
export function installTask(packageManager: string): {
  toConfiguration(): { name: string; options: object };
} {
  const options = { command: 'install', quiet: true, hideOutput: true, allowScripts: false, packageManager };
  return { toConfiguration: () => ({ name: 'node-package', options }) };
}
