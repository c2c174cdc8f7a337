import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The cost of the package before any request. */
export interface Footprint {
  /** Milliseconds, per round: on top of Nest and passport, which the application has loaded anyway. */
  readonly importTime: readonly number[];
  /** Milliseconds, per round: an application with the module and nothing else, issuer not asked. */
  readonly startTime: readonly number[];
  /** Bytes. */
  readonly packed: number;
  readonly unpacked: number;
  /** Packages that come with it: all dependencies, theirs included, peers not. */
  readonly packages: number;
}

const run = promisify(execFile);
const cwd = fileURLToPath(new URL('../../../', import.meta.url));

const STOPWATCH = `
  import '@nestjs/passport';
  import { NestFactory } from '@nestjs/core';
  const begun = performance.now();
  const { AuthModule } = await import('nestjs-resilient-auth');
  const imported = performance.now();
  const options = { issuer: 'https://issuer.example', audience: 'api', metadata: { startup: 'lazy' } };
  const app = await NestFactory.createApplicationContext(AuthModule.forRoot(options), { logger: false });
  const started = performance.now();
  await app.close();
  console.log(JSON.stringify([imported - begun, started - imported]));
`;

/** Measured in processes of their own, because a module is imported only once. */
export async function measureFootprint(rounds: number): Promise<Footprint> {
  console.log('footprint');
  const times: (readonly [number, number])[] = [];
  for (let round = 0; round < rounds; round += 1) {
    times.push(JSON.parse(await output(process.execPath, ['--input-type=module', '--eval', STOPWATCH])));
  }
  const [pack]: { size: number; unpackedSize: number }[] = JSON.parse(
    await output('npm', ['pack', '--dry-run', '--json', '--ignore-scripts']),
  );
  const installed = await output('npm', ['ls', '--all', '--parseable', '--omit=dev', '--omit=peer']);
  return {
    importTime: times.map(([importing]) => importing),
    startTime: times.map(([, starting]) => starting),
    packed: pack?.size ?? Number.NaN,
    unpacked: pack?.unpackedSize ?? Number.NaN,
    // The first line is the package itself.
    packages: new Set(installed.trim().split('\n')).size - 1,
  };
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(command, args, { cwd });
  return stdout;
}
