import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { requireHere } from '../../lib/microservices/require-here.js';

const lib = fileURLToPath(new URL('../../lib', import.meta.url));

describe('requireHere', () => {
  it('returns a package that the application has installed', () => {
    expect(requireHere('@grpc/grpc-js')).toHaveProperty('Metadata');
    expect(requireHere.resolve('@grpc/grpc-js')).toContain(join('node_modules', '@grpc', 'grpc-js'));
  });

  it("returns for every file of lib a text that Jest's transform to CommonJS can load: without import.meta", async () => {
    const files = (await readdir(lib, { recursive: true })).filter((file) => file.endsWith('.ts'));
    const texts = await Promise.all(files.map((file) => readFile(join(lib, file), 'utf8')));
    expect(files.filter((_, i) => /import\.meta\.(?!\s)/.test(texts[i] ?? ''))).toEqual([]);
  });
});
