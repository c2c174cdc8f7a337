import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileMetadataStore, MetadataStoreError, type StoredMetadata } from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { build } from 'vite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ScriptedIssuer, status } from '../../support/issuers/scripted-issuer.js';
import { scene } from '../../support/apps/scene.js';

const lib = fileURLToPath(new URL('../../../lib/metadata/store/file-metadata-store.ts', import.meta.url));
const PROCESSES = 4;

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'file-store-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return join(path, 'snapshots');
}

function snapshot(issuer: string, size = 1): StoredMetadata {
  const keys = Array.from({ length: size }, (_, index) => ({ kty: 'EC', kid: `key-${index}` }));
  return { issuer, jwksUri: `${issuer}/jwks`, keys, checkedAt: 1_700_000_000_000, isDoubleChecked: true };
}

/** The only file in a directory. */
async function onlyFile(path: string): Promise<string> {
  const [name, ...others] = await readdir(path);
  expect(others).toEqual([]);
  return join(path, name ?? '');
}

describe('FileMetadataStore', () => {
  it('returns what was saved for each issuer', async () => {
    const store = new FileMetadataStore(await directory());
    expect(await store.load('https://a.test')).toBeUndefined();
    await store.save(snapshot('https://a.test'));
    await store.save(snapshot('https://b.test', 3));
    await store.save(snapshot('https://a.test', 2));
    expect(await store.load('https://a.test')).toEqual(snapshot('https://a.test', 2));
    expect(await store.load('https://b.test')).toEqual(snapshot('https://b.test', 3));
  });

  it('writes a directory and files that only their owner can read', async () => {
    const path = await directory();
    await new FileMetadataStore(path).save(snapshot('https://a.test'));
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(await onlyFile(path))).mode & 0o777).toBe(0o600);
  });

  it('keeps to its directory when the name of an issuer is a path or very long', async () => {
    const path = await directory();
    const store = new FileMetadataStore(path);
    for (const issuer of [
      'https://a.test/../../b',
      '../../../etc/passwd',
      `https://${'x'.repeat(5000)}/\0`,
    ]) {
      await store.save(snapshot(issuer));
      expect(await store.load(issuer)).toEqual(snapshot(issuer));
    }
    expect(await readdir(path)).toHaveLength(3);
    expect(await readdir(join(path, '..'))).toEqual(['snapshots']);
  });

  it.each<[string, (file: string) => Promise<void>, string]>([
    ['is cut off', (file) => truncate(file, 100), 'malformed'],
    ['is empty', (file) => truncate(file, 0), 'malformed'],
    ['is not JSON', (file) => writeFile(file, '<html>'), 'malformed'],
    ['is JSON of something else', (file) => writeFile(file, '[1]'), 'malformed'],
    [
      'has changed by a letter',
      async (file) => writeFile(file, (await readFile(file, 'utf8')).replace('key-0', 'key-1')),
      'malformed',
    ],
    [
      'is of another version',
      async (file) => writeFile(file, (await readFile(file, 'utf8')).replace('"version":1', '"version":2')),
      'malformed',
    ],
    ['is endless', (file) => truncate(file, 5 * 1024 * 1024), 'malformed'],
    [
      'is a pipe without a writer',
      async (file) => {
        await rm(file);
        execFileSync('mkfifo', [file]);
      },
      'malformed',
    ],
  ])('rejects a file that %s', async (_what, harm, fault) => {
    const path = await directory();
    const store = new FileMetadataStore(path);
    await store.save(snapshot('https://a.test'));
    await harm(await onlyFile(path));
    const refusal = store.load('https://a.test');
    await expect(refusal).rejects.toThrow(MetadataStoreError);
    await expect(refusal).rejects.toMatchObject({ fault });
    await store.save(snapshot('https://a.test'));
    expect(await store.load('https://a.test')).toEqual(snapshot('https://a.test'));
  });

  it('rejects a directory in place of a file', async () => {
    const path = await directory();
    const store = new FileMetadataStore(path);
    await store.save(snapshot('https://a.test'));
    const file = await onlyFile(path);
    await rm(file);
    await mkdir(file);
    await expect(store.load('https://a.test')).rejects.toMatchObject({ fault: 'malformed' });
  });

  it('rejects the file of another issuer in its place, and a link', async () => {
    const path = await directory();
    const store = new FileMetadataStore(path);
    await store.save(snapshot('https://a.test'));
    const file = await onlyFile(path);
    const other = await readFile(file, 'utf8');
    await store.save(snapshot('https://b.test'));
    const [name] = (await readdir(path)).filter((entry) => join(path, entry) !== file);
    const place = join(path, name ?? '');
    await writeFile(place, other);
    await expect(store.load('https://b.test')).rejects.toMatchObject({ fault: 'wrong-issuer' });
    await rm(place);
    await symlink(file, place);
    await expect(store.load('https://b.test')).rejects.toThrow('ELOOP');
  });

  it('keeps its files whole when processes write and read at once', async () => {
    const path = await directory();
    const program = await mkdtemp(join(tmpdir(), 'file-store-writer-'));
    onTestFinished(() => rm(program, { recursive: true, force: true }));
    await writeFile(join(program, 'main.ts'), WRITER);
    await build({
      root: program,
      configFile: false,
      logLevel: 'silent',
      build: {
        ssr: join(program, 'main.ts'),
        outDir: program,
        emptyOutDir: false,
        rolldownOptions: { output: { entryFileNames: 'main.mjs' } },
      },
      ssr: { target: 'node' },
    });
    const writers = Array.from({ length: PROCESSES }, (_, index) =>
      fork(join(program, 'main.mjs'), [path, String(index + 1)], { execArgv: [] }),
    );
    const exits = await Promise.all(writers.map((writer) => once(writer, 'exit')));
    expect(exits.map(([code]) => code)).toEqual(Array(PROCESSES).fill(0));
    const left = await new FileMetadataStore(path).load('https://a.test');
    expect(left?.keys.length).toBeGreaterThan(0);
    await onlyFile(path);
  });

  it('[36] serves after a restart while the issuer is down, and refreshes once it is back', async () => {
    const clock = new ManualClock();
    const issuer = new ScriptedIssuer(clock);
    await issuer.publish('a');
    const path = await directory();
    const before = await scene({ clock, at: issuer, metadata: { store: new FileMetadataStore(path) } });
    // A draft is renamed when it is complete.
    await expect
      .poll(() => readdir(path).catch(() => []))
      .toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/)]);
    before.provider.close();
    issuer.always('all', status(503));
    await clock.advance('2h');
    const starting = scene({ clock, at: issuer, metadata: { store: new FileMetadataStore(path) } });
    const stage = await starting;
    expect(await stage.show('a')).toBe('accepted');
    expect(stage.provider.status()).toMatchObject({ state: 'stale', source: 'store' });
  });
});

/** Writes snapshots of its own size, and reads whole ones from every writer. */
const WRITER = `
import { FileMetadataStore } from '${lib}';
const [path, number] = process.argv.slice(2);
const store = new FileMetadataStore(path);
const keys = Array.from({ length: 50 * Number(number) }, () => ({ kty: 'EC', kid: number }));
for (let round = 0; round < 30; round++) {
  await store.save({ issuer: 'https://a.test', jwksUri: 'https://a.test/jwks', keys, checkedAt: round });
  const found = await store.load('https://a.test');
  const [first] = found.keys;
  if (found.keys.length !== 50 * Number(first.kid)) process.exit(1);
}
`;
