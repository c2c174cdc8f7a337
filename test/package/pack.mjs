import { join } from 'node:path';
import { run } from './checks.mjs';

/** `npm pack` builds first (`prepack`), so what is proven is what would be published. */
export async function pack(root, folder) {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], root);
  const [packed] = JSON.parse(stdout.slice(stdout.search(/^\[/m)));
  return { ...packed, tarball: join(folder, packed.filename) };
}
