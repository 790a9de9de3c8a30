import { defineConfig } from 'vitest/config';

/** The S3 contract alone: against the local server, or against the one that S3_ENDPOINT names. */
export default defineConfig({
  test: {
    include: ['test/contract/*.contract.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
