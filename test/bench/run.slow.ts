import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const RUN = fileURLToPath(new URL('run.ts', import.meta.url));

/** Each is as small as it can be: what counts is that it still ends, and with a table. */
test.each([
  ['formats', '10000'],
  ['statistics', '10000'],
  ['memory', '10000'],
  ['window-cost', '10000', '20000'],
  ['tables', '2000', '1000', '100'],
  ['catch-up', '1', '2'],
  ['distance'],
  ['load-time'],
])('the benchmark %s runs', async (...words) => {
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, ...words]);
  expect(stdout.trim().split('\n').length).toBeGreaterThan(2);
});
