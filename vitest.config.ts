import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const FILES = 'test/**/*.test.ts';
/** One of them imports the others, to run their tests again. */
const CONTRACT = 'test/contract/*.contract.ts';

/**
 * Files that replace modules need their own. All others share those of their worker: loading a handler's modules takes
 * half a second, as long as many files run.
 */
const replacing = globSync(FILES, { cwd: import.meta.dirname }).filter((file) =>
  /\bvi\.(?:mock|doMock|hoisted|resetModules)\(/.test(readFileSync(join(import.meta.dirname, file), 'utf8')),
);

export default defineConfig({
  test: {
    setupFiles: ['test/support/temporary-folder.ts', 'test/support/fresh-start.ts'],
    // Real servers start and histories of days are replayed; the slowest machine decides.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // One waits for its database while the others compute.
    maxWorkers: 3,
    // Read when the logger is loaded; tests of what is logged set their own.
    env: { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' },
    projects: [
      { extends: true, test: { name: 'shared', include: [FILES], exclude: replacing, isolate: false } },
      { extends: true, test: { name: 'alone', include: [...replacing, CONTRACT] } },
    ],
  },
});
