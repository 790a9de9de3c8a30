import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const COMPLETE = fileURLToPath(new URL('../../support/complete-release.ts', import.meta.url));

/** Of hourly windows. */
const YEAR = 365 * 24;

test('A release of a year of hourly drops is completed in a heap of 96 MB', async () => {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--max-old-space-size=96', COMPLETE, String(YEAR)]);
  // Every file is described, and every manifest listed.
  expect(Number(stdout)).toBeGreaterThan(YEAR * 1900);
}, 120_000);
