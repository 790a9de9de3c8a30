import { defineConfig } from 'vitest/config';

/** What needs a real browser; see `chromium.ts` for which one. */
export default defineConfig({
  test: {
    include: ['test/browser/*.browser.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
