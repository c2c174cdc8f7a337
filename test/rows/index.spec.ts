import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const tool = fileURLToPath(new URL('write-index.mjs', import.meta.url));

describe.each(['scenarios', 'checklist', 'contexts', 'protocol', 'ecosystem'])('the table of %s', (table) => {
  it('names a test for every row, and is up to date', async () => {
    const { stderr } = await run(process.execPath, [tool, '--check', table]).catch(failure);
    expect(stderr).toBe('');
  }, 30_000);
});

/** What it said is more use than that it failed. */
function failure(error: unknown): { stderr: string } {
  const stderr = typeof error === 'object' && error !== null && 'stderr' in error ? error.stderr : undefined;
  return { stderr: typeof stderr === 'string' && stderr !== '' ? stderr : String(error) };
}
