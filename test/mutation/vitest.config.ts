import { defineConfig } from 'vitest/config';

/** The tests that mutants have to pass by: those of the mutated files, and of the settings that windows are made from. */
export default defineConfig({
  test: {
    include: [
      'test/lib/core/window.test.ts',
      'test/lib/drop/{checkpoint,claim,manifest}.test.ts',
      'test/lib/transform/*.test.ts',
      'test/lib/config/settings.test.ts',
    ],
    // Tried once for every mutant, so it is the start that counts.
    isolate: false,
    maxWorkers: 1,
    env: { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' },
  },
});
