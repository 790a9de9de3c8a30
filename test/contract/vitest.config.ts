import { defineConfig } from 'vitest/config';

/** The S3 contract alone: against the local server, or against the one that S3_ENDPOINT names. */
export default defineConfig({
  test: {
    include: ['test/contract/*.contract.ts'],
    setupFiles: ['test/support/temporary-folder.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
