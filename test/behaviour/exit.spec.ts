import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** What the child process imports: the metadata layer, with nothing of the test runner around it. */
const ENTRY = `
export { IssuerMetadataProvider } from '${root}lib/metadata/issuer-metadata.provider.ts';
export { SystemClock } from '${root}lib/time/clock.ts';
export { resolveAuthOptions } from '${root}lib/options/resolve-options.ts';
`;

const PRELUDE = `
import { IssuerMetadataProvider, SystemClock, resolveAuthOptions } from './lib.mjs';
const never = () => new Promise(() => {});
const jwk = { kty: 'OKP', crv: 'Ed25519', kid: 'a', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
const serve = (url) => Response.json(String(url).includes('jwks')
  ? { keys: [jwk] }
  : { issuer: 'https://issuer.test', jwks_uri: 'https://issuer.test/jwks' });
let answer = serve;
const { issuers: [{ metadata }] } = resolveAuthOptions({
  issuer: 'https://issuer.test', audience: 'api', metadata: { fetch: async (url) => answer(url), timeout: '30s', refreshWait: '60s' },
}, {});
const provider = new IssuerMetadataProvider(metadata, new SystemClock());
const outcome = (promise) => promise.then(() => 'answered', (error) => error.code);
process.on('exit', (code) => console.log('exit', code));
`;

/** The timers in question (schedule, deadline of an exchange, wait of a request) and what is said before the end. */
const stories: readonly [name: string, story: string, said: string][] = [
  [
    'idle between two refreshes',
    `
    await provider.start();
    console.log(provider.status().state);`,
    'fresh',
  ],
  [
    'waiting for an issuer that never answers',
    `
    await provider.start();
    answer = never;
    void provider.requestRefresh({ kid: 'b' });
    void provider.refreshNow();
    console.log('waiting');`,
    'waiting',
  ],
  [
    'closed during a refresh',
    `
    await provider.start();
    answer = never;
    const results = [outcome(provider.requestRefresh({ kid: 'b' })), outcome(provider.refreshNow())];
    setImmediate(() => provider.close());
    console.log(...(await Promise.all(results)));`,
    'AUTH_METADATA_UNAVAILABLE AUTH_METADATA_UNAVAILABLE',
  ],
];

describe('the process', () => {
  let directory = '';

  beforeAll(async () => {
    // Inside the tree, so that the child finds the packages.
    directory = await mkdtemp(join(root, 'node_modules/.scenarios-'));
    const entry = join(directory, 'entry.ts');
    await writeFile(entry, ENTRY);
    await build({
      root: directory,
      configFile: false,
      logLevel: 'silent',
      build: {
        ssr: entry,
        outDir: directory,
        emptyOutDir: false,
        rolldownOptions: { output: { entryFileNames: 'lib.mjs' } },
      },
      ssr: { target: 'node' },
    });
  }, 30_000);

  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.each(stories)(
    '[12] ends by itself when it is %s',
    async (name, story, said) => {
      const file = join(directory, `${name.replaceAll(' ', '-')}.mjs`);
      await writeFile(file, `${PRELUDE}${story}`);
      // A timer that keeps the process alive would hold it for half a minute and more.
      const { stdout, stderr } = await run(process.execPath, [file], { timeout: 15_000 });
      expect(stderr).toBe('');
      expect(stdout).toMatch(/exit 0\n$/);
      expect(stdout).toContain(said);
    },
    20_000,
  );
});
