import { readFile } from 'node:fs/promises';

/** One file of the page. */
export interface PageFile {
  readonly type: string;
  readonly content: Buffer;
}

const script = 'text/javascript; charset=utf-8';
const types: ReadonlyMap<string, string> = new Map([
  ['index.html', 'text/html; charset=utf-8'],
  ['playground.css', 'text/css; charset=utf-8'],
  ['icon.svg', 'image/svg+xml'],
  ...['main', 'chart', 'dom', 'panels', 'timeline', 'token-panel', 'tour'].map(
    (name) => [`${name}.js`, script] as const,
  ),
]);

/** Nothing from elsewhere, nothing inline, no framing, no string as markup. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** Reads a file of the page; undefined when there is none of this name. */
export async function readPageFile(name: string): Promise<PageFile | undefined> {
  const type = types.get(name);
  if (!type) return undefined;
  return { type, content: await readFile(new URL(`page/${name}`, import.meta.url)) };
}
