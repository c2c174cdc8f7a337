// Proves `nest add` as its users run it: the packed library in fresh applications, and the CLI that each of them has.
import { spawn } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { check, Failure, run } from './checks.mjs';

/** `nest`: the major version of Nest and of its CLI. `project`: the second application of a monorepo. */
const apps = [
  { name: 'nest-add-esm', type: 'esm', nest: 12 },
  { name: 'nest-add-cjs', type: 'cjs', nest: 11 },
  { name: 'nest-add-monorepo', type: 'cjs', nest: 12, project: 'admin' },
];

const FLAGS = ['--preset=none', '--audience=shop', '--health'];
const KEPT = /^(@nestjs\/(cli|schematics)|@types\/(express|node)|typescript)$/;

export async function proveNestAdd(root, temp, tarball, chosen) {
  const wanted = apps.filter(({ name }) => chosen.length === 0 || chosen.includes(name));
  for (const app of wanted) await proveApp(root, app, join(temp, app.name), tarball);
}

async function proveApp(root, app, folder, tarball) {
  const ready = await check(`${app.name}: installs into a fresh application`, () =>
    createApp(root, app, folder, tarball),
  );
  if (!ready) return;
  await check(`${app.name}: nest add writes AuthModule once`, () => add(app, folder));
  await check(`${app.name}: compiles, and answers 401 and 503`, () => compileAndStart(app, folder));
  await check(`${app.name}: nest g migrate rewrites passport-jwt + jwks-rsa`, () => migrate(app, folder));
}

/** What `nest new` writes, less the tools for its tests. */
async function createApp(root, { name, type, nest, project }, folder, tarball) {
  const schematics = join(root, 'node_modules/@angular-devkit/schematics-cli/bin/schematics.js');
  const generate = (cwd, ...args) => run('node', [schematics, ...args, '--language=ts'], cwd);
  await generate(join(folder, '..'), '@nestjs/schematics:application', `--name=${name}`, `--type=${type}`);
  if (project) await generate(folder, '@nestjs/schematics:sub-app', `--name=${project}`);
  await edit(folder, 'package.json', (text) => JSON.stringify(trimmed(JSON.parse(text), nest), null, 2));
  await edit(folder, 'tsconfig.json', (text) => text.replace(/"types": \[[^\]]*\]/, '"types": ["node"]'));
  for (const file of await readdir(folder, { recursive: true }))
    if (/spec\.ts$|jest\.config\.ts$|vitest.*\.ts$/.test(file)) await rm(join(folder, file));
  await run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', tarball],
    folder,
  );
}

function trimmed({ dependencies, devDependencies, ...manifest }, nest) {
  const pin = (all) =>
    Object.fromEntries(
      Object.entries(all).map(([name, range]) => [
        name,
        nest === 11 && name.startsWith('@nestjs/') ? '^11.0.0' : range,
      ]),
    );
  const kept = Object.entries(devDependencies).filter(([name]) => KEPT.test(name));
  const tools = { ...pin(Object.fromEntries(kept)), ...(nest === 11 && { typescript: '~5.9.0' }) };
  return { ...manifest, dependencies: pin(dependencies), devDependencies: tools };
}

const nestOf = (folder) => join(folder, 'node_modules/.bin/nest');

/** `--skip-install`: the package is there already, and is not published yet. */
async function add({ project }, folder) {
  const args = [
    'add',
    'nestjs-resilient-auth',
    '--skip-install',
    ...FLAGS,
    ...(project ? ['--project', project] : []),
  ];
  await run(nestOf(folder), args, folder);
  const before = await snapshot(folder);
  const { output } = await run(nestOf(folder), args, folder);
  const changed = [...(await snapshot(folder))].filter(([file, text]) => before.get(file) !== text);
  if (changed.length > 0)
    throw new Failure(`the second run changed ${changed.map(([file]) => file).join(', ')}`, output);
  if (!output.includes('has AuthModule already')) throw new Failure('the second run said nothing', output);
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'], folder);
}

async function compileAndStart({ project }, folder) {
  const config = project ? `apps/${project}/tsconfig.app.json` : 'tsconfig.build.json';
  await run(join(folder, 'node_modules/.bin/tsc'), ['-p', config, '--pretty', 'false'], folder);
  const dist = join(folder, project ? `dist/apps/${project}` : 'dist');
  const files = await readdir(dist, { recursive: true });
  const main = files.find(
    (file) =>
      /(^|\/)main\.js$/.test(file) && (!project || file.includes(project) || file.split('/').length < 3),
  );
  if (!main) throw new Failure('there is no main.js', files.join('\n'));
  await assertAnswers(join(dist, main), folder);
}

/** No issuer answers: the application starts all the same, refuses, and is not ready. */
async function assertAnswers(main, cwd) {
  const port = await freePort();
  const settings = { PORT: port, port, AUTH_ISSUER: 'https://127.0.0.1:9', AUTH_AUDIENCE: 'shop' };
  const child = spawn('node', [main], {
    cwd,
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (log += text));
  try {
    const refused = await get(`http://127.0.0.1:${port}/`, () => child.exitCode === null);
    const { errorCode } = await refused.json();
    if (refused.status !== 401 || errorCode !== 'AUTH_TOKEN_MISSING')
      throw new Failure(`GET / was answered ${refused.status} ${errorCode}`, log);
    const health = await fetch(`http://127.0.0.1:${port}/health/ready`);
    if (health.status !== 503) throw new Failure(`GET /health/ready was answered ${health.status}`, log);
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(String(error), log);
  } finally {
    child.kill('SIGKILL');
  }
}

/** Until the server listens. */
async function get(url, isRunning) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      return await fetch(url);
    } catch (error) {
      if (!isRunning() || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function migrate({ project, type }, folder) {
  const source = project ? `apps/${project}/src` : 'src';
  const js = type === 'esm' ? '.js' : '';
  await rm(join(folder, source, 'auth.options.ts'));
  await rm(join(folder, source, 'auth-health.module.ts'));
  await writeFile(join(folder, source, 'jwt.strategy.ts'), STRATEGY);
  const [moduleFile] = (await readdir(join(folder, source))).filter((file) =>
    /(app|admin)\.module\.ts$/.test(file),
  );
  await writeFile(join(folder, source, moduleFile), moduleText(moduleFile.split('.')[0], js));
  const generate = (schematic) => {
    const inProject = project ? ['--project', project] : [];
    return run(nestOf(folder), ['g', '-c', 'nestjs-resilient-auth', schematic, ...inProject], folder);
  };
  const { output } = await generate('migrate');
  if (!output.includes('the schematic migrate-rewrite')) throw new Failure('expected a report', output);
  await generate('migrate-rewrite');
  const text = await readFile(join(folder, source, moduleFile), 'utf8');
  if (!text.includes('AuthModule.forRootAsync(') || text.includes('JwtStrategy'))
    throw new Failure('not rewritten', text);
  const config = project ? `apps/${project}/tsconfig.app.json` : 'tsconfig.build.json';
  await run(join(folder, 'node_modules/.bin/tsc'), ['-p', config, '--noEmit', '--pretty', 'false'], folder);
}

const moduleText = (name, js) => `import { Module } from '@nestjs/common';
import { JwtStrategy } from './jwt.strategy${js}';

@Module({
  imports: [],
  providers: [JwtStrategy],
})
export class ${name[0].toUpperCase()}${name.slice(1)}Module {}
`;

const STRATEGY = `import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { passportJwtSecret } from 'jwks-rsa';
import { ExtractJwt, Strategy } from 'passport-jwt';

@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor() {
    super({
      secretOrKeyProvider: passportJwtSecret({ jwksUri: 'https://issuer.example/jwks' }),
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      issuer: process.env.AUTH_ISSUER,
      audience: 'shop',
    });
  }

  validate(payload: unknown) {
    return payload;
  }
}
`;

async function edit(folder, file, change) {
  const path = join(folder, file);
  await writeFile(path, change(await readFile(path, 'utf8')));
}

async function snapshot(folder) {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile() && !(entry.parentPath ?? entry.path).includes('node_modules'),
  );
  const texts = files.map(async (entry) => {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    return [path, await readFile(path, 'utf8')];
  });
  return new Map(await Promise.all(texts));
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
