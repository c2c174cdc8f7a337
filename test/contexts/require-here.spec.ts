import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fileIn, requireHere } from '../../lib/microservices/require-here.js';

const lib = fileURLToPath(new URL('../../lib', import.meta.url));

describe('requireHere', () => {
  it('returns a package that the application has installed', () => {
    expect(requireHere('@grpc/grpc-js')).toHaveProperty('Metadata');
    expect(requireHere.resolve('@grpc/grpc-js')).toContain(join('node_modules', '@grpc', 'grpc-js'));
  });

  it.each([
    ['Error\n    at file:///srv/app%20(copy)/x.js:8:3', '/srv/app (copy)/x.js'],
    ['Error\n    at Object.<anonymous> (/srv/app (copy)/x.js:8:3)', '/srv/app (copy)/x.js'],
    [
      'Error: a (b)\n    at async Module.load [as call] (/srv/a b/x.js:8:3)\n    at /other.js:1:1',
      '/srv/a b/x.js',
    ],
    ['Error\n    at new Here (webpack:///lib/x.ts:8:3)', undefined],
    ['Error', undefined],
    ['', undefined],
  ])('returns the file of the first frame: %j', (stack, file) => {
    expect(fileIn(stack)).toBe(file);
  });

  it("returns for every file of lib a text that Jest's transform to CommonJS can load: without import.meta", async () => {
    const files = (await readdir(lib, { recursive: true })).filter((file) => file.endsWith('.ts'));
    const texts = await Promise.all(files.map((file) => readFile(join(lib, file), 'utf8')));
    expect(files.filter((_, i) => /import\.meta\.(?!\s)/.test(texts[i] ?? ''))).toEqual([]);
  });
});
