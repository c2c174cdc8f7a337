// Proves `nest add` and the schematic `migrate`: run by `npm run test:nest-add`; needs the registry for the applications'
// dependencies. Leaves nothing but `dist/`. Only some of the applications, when named.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, tally } from './checks.mjs';
import { proveNestAdd } from './nest-add.mjs';
import { pack } from './pack.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const temp = await mkdtemp(join(tmpdir(), 'nestjs-resilient-auth-nest-add-'));
try {
  let packed;
  const ready = await check('builds and packs', async () => {
    packed = await pack(root, temp);
  });
  if (ready) await proveNestAdd(root, temp, packed.tarball, process.argv.slice(2));
} finally {
  await rm(temp, { recursive: true, force: true });
}
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 ? 0 : 1;
