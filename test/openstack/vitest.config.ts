import { defineConfig } from 'vitest/config';

/** What needs a real OpenStack, which the environment names. */
export default defineConfig({
  test: {
    include: ['test/openstack/*.cloud.ts'],
    setupFiles: ['test/support/temporary-folder.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    env: { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' },
  },
});
