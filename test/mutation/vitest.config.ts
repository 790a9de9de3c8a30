import { defineConfig } from 'vitest/config';

/** The tests beside which mutants are tried: those of the mutated files themselves, which need no server. */
export default defineConfig({
  test: {
    include: [
      'test/lib/window.test.ts',
      'test/lib/drop/*.test.ts',
      'test/lib/mask/*.test.ts',
      'test/lib/settings.test.ts',
    ],
    env: { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' },
  },
});
