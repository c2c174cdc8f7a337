// Checks that report their outcome, and commands that keep what they printed.
import { spawn } from 'node:child_process';
import { basename } from 'node:path';

const commandTimeout = 480_000;

/** What a check found wrong, with the output that shows it. */
export class Failure extends Error {
  constructor(message, output = '') {
    super(message);
    this.output = output;
  }
}

export const tally = { passed: 0, failed: 0 };

/** Runs one check and prints its line; answers whether it passed, for what cannot do without it. */
export async function check(name, prove) {
  const start = performance.now();
  const report = (verdict) =>
    console.log(`${verdict} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  try {
    await prove();
    tally.passed += 1;
    report('ok  ');
    return true;
  } catch (error) {
    tally.failed += 1;
    report('FAIL');
    const reason =
      error instanceof Failure ? `${error.message}\n${error.output}` : (error.stack ?? String(error));
    console.log(reason.trimEnd().replaceAll(/^/gm, '     | '));
    return false;
  }
}

/** Runs a command to its end; any end but exit code 0 is a {@link Failure}. `onOutput` sees stdout grow. */
export function run(command, args, cwd, onOutput) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), commandTimeout);
    let stdout = '';
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      output += text;
      onOutput?.(stdout, child);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve({ stdout, output });
      else
        reject(
          new Failure(`${basename(command)} ${args.join(' ')}: ${signal ?? `exit code ${code}`}`, output),
        );
    });
  });
}

/** What `npm run` leaves in the environment must not reach a user's app. */
function cleanEnvironment() {
  const ours = /^(npm_package_|npm_lifecycle_|npm_config_local_prefix$|INIT_CWD$|NODE_ENV$|NODE_PATH$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
