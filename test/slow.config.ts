import { defineConfig } from 'vitest/config';

/** What takes minutes: kills and deadlines at every request, two runs in every gap of each other, a month, and more. */
export default defineConfig({
  test: {
    include: [
      'test/**/*.slow.ts',
      // Those that take a part of their steps in `npm test`.
      'test/demo/start.test.ts',
      'test/handlers/api-discovery.test.ts',
      'test/handlers/backfill.test.ts',
      'test/handlers/exactly-once.test.ts',
      'test/lib/backfill/groups.test.ts',
      'test/lib/source/nova-db/broken-stream.test.ts',
      'test/lib/drop/several-tables.test.ts',
      'test/lib/command/publish.test.ts',
      'test/package/template.test.ts',
    ],
    setupFiles: ['test/support/temporary-folder.ts'],
    testTimeout: 1_200_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    env: { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true', TEST_SLOW: 'true' },
  },
});
