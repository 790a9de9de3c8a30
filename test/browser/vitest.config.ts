import { defineConfig } from 'vitest/config';

/** What needs a real browser; see `chromium.ts` for which one. */
export default defineConfig({
  test: {
    include: ['test/browser/*.browser.ts'],
    setupFiles: ['test/support/temporary-folder.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
