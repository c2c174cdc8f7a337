// Fails on words that CONTRIBUTING.md rules out, in prose and in identifiers, and names file and line of each.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const places = ['lib', 'bench', 'sample-app', 'test', 'docs', 'scripts', '.ci', '*.md', '*.json'];
const exempt = /^(package-lock\.json|CONTRIBUTING\.md|scripts\/check-words\.mjs|test\/support\/.*\.json)$/;
const words =
  /\b(whoever|nobody|somebody|everybody|anybody|whatever|in vain|for ever|rubbish|tells?|told|at hand)\b/i;
const letIn = /\blet in\b/i;

/** `tellOnce`, `MAX_TOLD` and `redis_at_hand` as words of their own. */
const apart = (line) => line.replaceAll('_', ' ').replaceAll(/([a-z])([A-Z])/g, '$1 $2');

const files = execFileSync('git', [
  'ls-files',
  '-z',
  '--cached',
  '--others',
  '--exclude-standard',
  ...places,
]);
const found = files
  .toString()
  .split('\0')
  .filter((file) => /\.(ts|mjs|js|md|json|svg|html|css|run|sh)$|^\.ci\//.test(file) && !exempt.test(file))
  .flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, index) => {
        const [word] = words.exec(apart(line)) ?? letIn.exec(line) ?? [];
        return word ? [`${file}:${index + 1}: "${word.toLowerCase()}": ${line.trim().slice(0, 120)}`] : [];
      }),
  );
if (found.length > 0) {
  console.error(`${found.join('\n')}\n${found.length} lines with words that CONTRIBUTING.md rules out`);
  process.exitCode = 1;
}
