// Fails when a folder of lib/ holds more than ten files: then it holds two subjects, and the second needs a folder.
import { readdirSync } from 'node:fs';

const limit = 10;
const counts = new Map();
for (const entry of readdirSync('lib', { recursive: true, withFileTypes: true })) {
  if (entry.isFile()) counts.set(entry.parentPath, (counts.get(entry.parentPath) ?? 0) + 1);
}
for (const [folder, count] of counts) {
  if (count <= limit) continue;
  console.error(`${folder} holds ${count} files; the limit is ${limit}`);
  process.exitCode = 1;
}
