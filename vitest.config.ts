import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'test/contract/*.contract.ts'],
    setupFiles: ['test/support/temporary-folder.ts'],
    // Real servers start and histories of days are replayed; the slowest machine decides.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // One waits for its database while the others compute.
    maxWorkers: 3,
    // Read when the logger is loaded; tests of what is logged set their own.
    env: { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' },
  },
});
