import { defineConfig } from 'vitest/config';

/** Random schedules of faults between the function and real parts. */
export default defineConfig({
  test: {
    include: ['test/faults/*.faults.ts'],
    setupFiles: ['test/support/temporary-folder.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 300_000,
    maxWorkers: 3,
    disableConsoleIntercept: true,
    env: { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' },
  },
});
