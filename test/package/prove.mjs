// Proves the built package as its users get it: packed, installed into fresh apps, compiled, started and called.
// Run by `npm run test:package`; needs the registry for the apps' own dependencies. Leaves nothing but `dist/`.
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, Failure, run, tally } from './checks.mjs';
import { checkMustNotCompile } from './must-not-compile.mjs';
import { pack } from './pack.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const fixtures = fileURLToPath(new URL('./apps', import.meta.url));

/**
 * All share the source in apps/src. `requires`: CommonJS, so the library must come in through require(esm). `oldest`: with
 * the oldest Nest of its major that the peer range allows, instead of the newest.
 */
const apps = [
  { name: 'esm-nest12', folder: 'esm-nest12', mustNotCompile: true, twoCopies: true },
  { name: 'esm-nest12-oldest', folder: 'esm-nest12', oldest: 12 },
  { name: 'cjs-nest12', folder: 'cjs-nest12', requires: true },
  { name: 'cjs-nest11', folder: 'cjs-nest11', requires: true, jest: true, classicResolution: true },
  { name: 'cjs-nest11-oldest', folder: 'cjs-nest11', requires: true, oldest: 11, twoCopies: true },
  // Every context. Without the check of libraries: declarations of @nestjs/graphql need packages that it does not install.
  { name: 'doors-esm-nest12', folder: 'doors-esm-nest12', source: 'doors-src' },
  { name: 'doors-cjs-nest11', folder: 'doors-cjs-nest11', source: 'doors-src', requires: true },
  // Metrics and the OpenAPI document.
  { name: 'observed-esm-nest12', folder: 'observed-esm-nest12', source: 'observed-src' },
  { name: 'observed-cjs-nest11', folder: 'observed-cjs-nest11', source: 'observed-src', requires: true },
  { name: 'observed-cjs-nest11-oldest', folder: 'observed-cjs-nest11', source: 'observed-src', oldest: 11 },
];
/** Only these, when named: `npm run test:package -- cjs-nest11`. */
const chosen = process.argv.slice(2);

/** What apps/src/main.ts prints when all is well. */
const answersOf = ({ folder }) => [
  'without a token: 401 AUTH_TOKEN_MISSING',
  'with a token: 200 alice',
  'after a key rollover: 200 alice',
  'secure by default, without a token: 401 AUTH_TOKEN_MISSING',
  'secure by default, with a token: 200 alice',
  'options per request: refused, AUTH_CONFIGURATION_INVALID',
  // NestJS 11 runs no global guard there.
  `an undecorated gateway: ${folder.endsWith('11') ? 'refused, AUTH_CONFIGURATION_INVALID' : 'accepted'}`,
  'resource metadata: 200 https://orders.example/v1 orders:read',
  'closed',
];
/** What apps/observed-src/main.ts prints. */
const observed = [
  'OpenAPI, security: [{"openid":["orders:read"]},{"accessToken":[]}]',
  'OpenAPI, answers: 200 401 403 503',
  'OpenAPI, 403: AUTH_SCOPE_MISSING',
  'metrics: accepted hit 1',
  'metrics: refused miss 1',
  'metrics: accepted miss 1',
  'closed',
];
/** What apps/doors-src/main.ts prints: TCP carries a token from Nest 12.1 on. */
const doorsOf = ({ folder }) => [
  'GraphQL, without a token: AUTH_TOKEN_MISSING',
  'WebSocket, without a token: Unexpected server response: 401',
  'microservice, without a token: AUTH_TOKEN_MISSING',
  'GraphQL, with a token: alice',
  'WebSocket, with a token: alice',
  `microservice, with a token: ${folder.endsWith('11') ? 'no metadata beside the payload' : 'alice'}`,
  'GraphQL, after a key rollover: alice',
  'closed',
];
const exitGrace = 2_000;

const bin = (folder, name) => join(folder, 'node_modules', '.bin', name);
const readJson = async (file) => JSON.parse(await readFile(file, 'utf8'));

/** All that belongs is in, what README links to included, and every built file has its source: nothing of an older build. */
async function checkFiles(files) {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path);
  const texts = ['README.md', 'LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'package.json'];
  const paths = files.map((file) => file.path);
  const isIn = (wanted) => paths.some((path) => path === wanted || path.startsWith(`${wanted}/`));
  const missing = [...texts, ...links].filter((wanted) => !isIn(wanted));
  const strays = paths.filter((path) => {
    const source = /^dist\/(lib\/.+?)(\.d\.ts|\.js)$/.exec(path)?.[1];
    return (
      !texts.includes(path) &&
      !path.startsWith('docs/') &&
      !path.startsWith('schematics/') &&
      !(source && existsSync(join(root, `${source}.ts`)))
    );
  });
  if (missing.length > 0) throw new Failure(`missing in the tarball: ${missing.join(', ')}`);
  if (strays.length > 0) throw new Failure(`has no business in the tarball: ${strays.join(', ')}`);
}

/** Nest's packages of one release train, at the exact version that a peer range starts with. */
async function pinOldest(folder, major) {
  const { peerDependencies } = await readJson(join(root, 'package.json'));
  const manifest = await readJson(join(folder, 'package.json'));
  const oldestOf = (name) =>
    new RegExp(`\\^(${major}\\.[\\d.]+)`).exec(peerDependencies[name] ?? peerDependencies['@nestjs/core'])[1];
  for (const dependencies of [manifest.dependencies, manifest.devDependencies]) {
    for (const name of Object.keys(dependencies).filter((name) => name.startsWith('@nestjs/')))
      dependencies[name] = oldestOf(name);
  }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
}

async function installApp(app, folder, tarball) {
  await cp(join(fixtures, app.folder), folder, { recursive: true });
  if (app.oldest) await pinOldest(folder, app.oldest);
  await cp(join(fixtures, app.source ?? 'src'), join(folder, 'src'), { recursive: true });
  const flags = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', '--prefer-offline'];
  // @nestjs/core 12.0.0 names @nestjs/common 11 as its peer.
  if (app.oldest) flags.push('--legacy-peer-deps');
  await run('npm', ['install', ...flags, tarball], folder);
}

async function compileApp(app, folder) {
  await run(bin(folder, 'tsc'), ['-p', '.', '--pretty', 'false'], folder);
  const built = await readFile(join(folder, 'dist', 'src', 'app.module.js'), 'utf8');
  if (app.requires && !built.includes('require("nestjs-resilient-auth")')) {
    throw new Failure('expected a call of require()', built);
  }
}

function printedBy(app) {
  if (app.source === 'doors-src') return doorsOf(app);
  return app.source === 'observed-src' ? observed : answersOf(app);
}

/** Starts the app: it asks itself, prints the answers, closes all it opened, and then must end with no help. */
async function startApp(app, folder) {
  const answers = printedBy(app).join('\n');
  let overdue;
  const watch = (printed, child) => {
    if (/^closed$/m.test(printed)) overdue ??= setTimeout(() => child.kill('SIGKILL'), exitGrace);
  };
  try {
    const { stdout, output } = await run('node', ['dist/src/main.js'], folder, watch);
    if (stdout.trim() !== answers) throw new Failure(`expected:\n${answers}\ngot:`, output);
  } catch (error) {
    if (overdue) error.message += ` (a process that has closed all must end within ${exitGrace} ms)`;
    throw error;
  } finally {
    clearTimeout(overdue);
  }
}

/** A second copy of Nest beside the library, as links and clashing ranges make it: the boot must fail and name both. */
async function checkTwoCopies(name, folder) {
  const second = join(folder, 'node_modules', 'nestjs-resilient-auth', 'node_modules', '@nestjs', name);
  await cp(join(folder, 'node_modules', '@nestjs', name), second, { recursive: true });
  try {
    const { output } = await run('node', ['dist/src/main.js'], folder).catch((error) => error);
    const expected = `There are two copies of @nestjs/${name}: nestjs-resilient-auth loads ${second}, `;
    if (!output?.includes(expected)) throw new Failure(`expected: ${expected}`, output);
  } finally {
    await rm(second, { recursive: true, force: true });
  }
}

/** `module: commonjs`, still common in Nest 11 apps, knows no `exports`; package.json has `typesVersions` for it. */
async function checkClassicResolution(folder) {
  const classic = ['--module', 'commonjs', '--moduleResolution', 'node10', '--noEmit'];
  await run(bin(folder, 'tsc'), ['-p', '.', '--pretty', 'false', ...classic], folder);
}

async function proveApp(app, temp, packed) {
  const folder = join(temp, app.name);
  const ready = await check(`${app.name}: installs`, () => installApp(app, folder, packed.tarball));
  if (!ready) return;

  await check(`${app.name}: compiles${app.source ? '' : ' with skipLibCheck off'}`, () =>
    compileApp(app, folder),
  );
  const answers = app.source ? `answers as ${app.source} says` : 'answers 401, 200, 200 after a rollover';
  await check(`${app.name}: ${answers}, and ends`, () => startApp(app, folder));
  for (const name of app.twoCopies ? ['core', 'common'] : []) {
    await check(`${app.name}: two copies of @nestjs/${name} fail the boot`, () =>
      checkTwoCopies(name, folder),
    );
  }
  if (app.mustNotCompile) {
    await check(`${app.name}: mistakes do not compile`, () =>
      checkMustNotCompile(folder, bin(folder, 'tsc')),
    );
  }
  const { typesVersions } = await readJson(join(folder, 'node_modules', packed.name, 'package.json'));
  if (app.classicResolution && typesVersions) {
    await check(`${app.name}: compiles with classic resolution`, () => checkClassicResolution(folder));
  }
  if (app.jest) {
    await check(`${app.name}: its own Jest tests pass`, () => run(bin(folder, 'jest'), ['--ci'], folder));
  }
}

/** One line, no verdict: how heavy the package is. */
async function reportSize(temp, packed) {
  const lock = await readJson(join(temp, apps[0].name, 'node_modules', '.package-lock.json'));
  const installed = Object.values(lock.packages).filter((entry) => !entry.dev).length;
  const [size, unpacked] = [packed.size, packed.unpackedSize].map(
    (bytes) => `${(bytes / 1000).toFixed(1)} kB`,
  );
  console.log(`size ${size} packed, ${unpacked} unpacked, ${packed.entryCount} files`);
  console.log(`size ${installed} packages in a Nest 12 app on Express, Nest's own included`);
}

const temp = await mkdtemp(join(tmpdir(), 'nestjs-resilient-auth-package-'));
try {
  let packed;
  const ready = await check('builds and packs', async () => {
    packed = await pack(root, temp);
  });
  if (ready) {
    const { tarball, files } = packed;
    await check('packs what belongs in it and nothing else', () => checkFiles(files));
    await check('publint --strict', () => run(bin(root, 'publint'), ['run', tarball, '--strict'], root));
    await check('attw --profile esm-only', () =>
      run(bin(root, 'attw'), [tarball, '--profile', 'esm-only'], root),
    );
    const wanted = apps.filter(({ name }) => chosen.length === 0 || chosen.includes(name));
    await Promise.all(wanted.map((app) => proveApp(app, temp, packed)));
    await reportSize(temp, packed).catch(() => undefined);
  }
} finally {
  await rm(temp, { recursive: true, force: true });
}
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 ? 0 : 1;
