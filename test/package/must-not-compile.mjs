// Mistakes that the published declarations must catch: each marker `// expect TS2345` names the error of its own line.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, run } from './checks.mjs';

/** Fails on a marker without its error, and on an error without its marker. */
export async function checkMustNotCompile(app, tsc) {
  const expected = await markers(join(app, 'must-not-compile'));
  // The compiler fails, that is the point; what counts is what it says.
  const { output } = await run(tsc, ['-p', 'must-not-compile', '--pretty', 'false'], app).catch(
    (error) => error,
  );
  const errors = [...output.matchAll(/^(\S.*?)\((\d+),\d+\): error (TS\d+)/gm)];
  const actual = errors.map(([, file, line, code]) => `${file}:${line} ${code}`);
  const unmet = expected.filter((error) => !actual.includes(error));
  const surplus = actual.filter((error) => !expected.includes(error));
  if (unmet.length + surplus.length === 0) return;
  throw new Failure(
    `${listed('expected and not seen', unmet)}\n${listed('seen and not expected', surplus)}`,
    output,
  );
}

async function markers(folder) {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts'));
  const perFile = await Promise.all(
    files.map(async (file) => {
      const lines = (await readFile(join(folder, file), 'utf8')).split('\n');
      const found = lines.flatMap((line, index) => {
        const code = /\/\/ expect (TS\d+)/.exec(line)?.[1];
        return code ? [`must-not-compile/${file}:${index + 1} ${code}`] : [];
      });
      if (found.length === 0) throw new Failure(`${file} says nowhere which error to expect`);
      return found;
    }),
  );
  return perFile.flat();
}

const listed = (title, items) => `${title}: ${items.join(', ') || 'none'}`;
