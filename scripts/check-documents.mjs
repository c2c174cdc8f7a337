// Compiles every TypeScript block of the documents against the public entry points, and follows their relative links.
// A block that cannot compile here says why in its fence: ```ts no-check: nest-keycloak-connect is not installed
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const workspace = join('dist', 'documents');
const documents = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { encoding: 'utf8' })
  .stdout.split('\n')
  .filter((file) => file !== '' && existsSync(file) && !file.startsWith('test/'));
const problems = [
  ...documents.flatMap(deadLinks),
  ...unlistedDecisions(),
  ...unexplainedCodes(),
  ...typeErrors(documents.flatMap(blocksOf)),
];
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}

/** Relative links to files that do not exist, and to headings that the target does not have. */
function deadLinks(file) {
  const text = withoutCode(readFileSync(file, 'utf8'));
  return [...text.matchAll(/\]\(([^()\s]+)\)/g)].flatMap(([, link]) => {
    if (/^[a-z]+:/i.test(link)) return [];
    const [path, anchor] = link.split('#');
    const target = path === '' ? file : normalize(join(dirname(file), path));
    if (!existsSync(target)) return [`${file}: ${link} does not exist`];
    if (anchor === undefined || statSync(target).isDirectory() || !target.endsWith('.md')) return [];
    return anchorsOf(target).has(anchor) ? [] : [`${file}: ${link} names no heading of ${target}`];
  });
}

/** Decisions that the index does not name. */
function unlistedDecisions() {
  const folder = join('docs', 'decisions');
  const index = readFileSync(join(folder, 'README.md'), 'utf8');
  return readdirSync(folder)
    .filter((file) => file !== 'README.md' && !index.includes(`](${file})`))
    .map((file) => `${join(folder, 'README.md')}: ${file} is missing`);
}

/** Error codes without a heading in the reference. */
function unexplainedCodes() {
  const reference = join('docs', 'errors.md');
  const text = readFileSync(reference, 'utf8');
  const codes = readFileSync(join('lib', 'errors', 'auth.error.ts'), 'utf8').match(/'AUTH_[A-Z_]+'/g) ?? [];
  return codes
    .map((code) => code.slice(1, -1))
    .filter((code) => !text.includes(`### \`${code}\``))
    .map((code) => `${reference}: ${code} has no heading`);
}

/** The anchors that GitHub gives to headings. */
function anchorsOf(file) {
  const headings = withoutCode(readFileSync(file, 'utf8'), '$1').matchAll(/^#{1,6} +(.+)$/gm);
  const anchors = new Set();
  for (const [, heading] of headings) {
    const words = heading.toLowerCase().replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const anchor = words.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
    let candidate = anchor;
    for (let count = 1; anchors.has(candidate); count += 1) candidate = `${anchor}-${count}`;
    anchors.add(candidate);
  }
  return anchors;
}

/** @param inline what remains of code inside a line: nothing, or `$1` for its text */
function withoutCode(text, inline = '') {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`([^`\n]*)`/g, inline);
}

/** Blocks with their first line in the document, as files in which every line keeps its number. */
function blocksOf(file) {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^```(?:ts|typescript)\b([^\n]*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, info, code] = match;
    const line = text.slice(0, match.index).split('\n').length;
    return { file, line, info: info.trim(), code: `${'\n'.repeat(line)}${code}export {};\n` };
  });
}

function typeErrors(blocks) {
  const faulty = blocks.filter(({ info }) => info !== '' && !/^no-check: \S.+/.test(info));
  if (faulty.length > 0)
    return faulty.map(({ file, line, info }) => `${file}:${line}: "${info}": write "no-check: reason"`);
  rmSync(workspace, { recursive: true, force: true });
  mkdirSync(workspace, { recursive: true });
  const checked = blocks.filter(({ info }) => info === '');
  const names = checked.map(({ file, line }) => `${file.replaceAll('/', '__')}.${line}.ts`);
  for (const [index, { code }] of checked.entries()) writeFileSync(join(workspace, names[index]), code);
  const config = {
    extends: relative(workspace, 'tsconfig.json'),
    compilerOptions: {
      noEmit: true,
      // The reader's application has Nest's own settings, not those of this repository.
      verbatimModuleSyntax: false,
      isolatedModules: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      types: ['node', 'express'],
    },
    files: [...names, relative(workspace, 'scripts/document-globals.d.ts')],
    include: [],
  };
  writeFileSync(join(workspace, 'tsconfig.json'), JSON.stringify(config, null, 2));
  const compiler = join('node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', workspace], { encoding: 'utf8' });
  console.log(`${checked.length} blocks compiled, ${blocks.length - checked.length} not checked`);
  if (status === 0) return [];
  return stdout
    .trim()
    .split('\n')
    .map((line) =>
      line.replace(
        /^\S*?([^/\s]+\.md)\.\d+\.ts\((\d+),\d+\)/,
        (_, name, at) => `${name.replaceAll('__', '/')}:${at}`,
      ),
    );
}
