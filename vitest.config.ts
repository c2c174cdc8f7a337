import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const lib = (file: string): string => fileURLToPath(new URL(`./lib/${file}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^nestjs-resilient-auth$/, replacement: lib('index.ts') },
      { find: /^nestjs-resilient-auth\/([a-z-]+)$/, replacement: lib('$1/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.spec.ts'],
    setupFiles: ['test/setup.ts'],
    // Most of a file's time would go into loading Nest again: modules are shared, so no test may mock one.
    isolate: false,
    // Not more: a clock that is moved by hand can outrun an exchange over a real socket.
    maxWorkers: availableParallelism(),
    // Making RSA keys and fuzzing take their time on a busy machine; no test asserts how long anything takes.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
