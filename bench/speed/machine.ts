import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** What the figures were measured with. */
export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly processors: number;
  readonly memory: string;
  /** Of the last minute before the run; a busy machine makes bad figures. */
  readonly loadBefore: number;
  readonly versions: Readonly<Record<string, string>>;
}

const PACKAGES = [
  '@nestjs/core',
  'express',
  'fastify',
  'passport-jwt',
  'jwks-rsa',
  'jose',
  'jsonwebtoken',
  'fast-jwt',
  'get-jwks',
  'aws-jwt-verify',
  'express-oauth2-jwt-bearer',
  'autocannon',
];

export function describeMachine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model ?? 'unknown',
    processors: availableParallelism(),
    memory: `${Math.round(totalmem() / 1e9)} GB`,
    loadBefore: loadavg()[0] ?? Number.NaN,
    versions: {
      'Node.js': process.versions.node,
      OpenSSL: process.versions.openssl,
      ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    },
  };
}

/** Read from the file: not every package exports its package.json. */
function versionOf(name: string): string {
  for (const directory of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    try {
      const manifest: { version: string } = JSON.parse(
        readFileSync(`${directory}/${name}/package.json`, 'utf8'),
      );
      return manifest.version;
    } catch {
      // Not in this one of the directories Node looks into.
    }
  }
  return 'unknown';
}
