import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { withLock } from './lock.ts';

test('work under one lock is done one after another', async () => {
  const lock = await lockFile();
  const log: string[] = [];
  await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      withLock(lock, async () => {
        log.push(`${name} in`);
        await new Promise((resolve) => setImmediate(resolve));
        log.push(`${name} out`);
      }),
    ),
  );
  for (let at = 0; at < log.length; at += 2) expect(log[at]?.[0]).toBe(log[at + 1]?.[0]);
  expect(log).toHaveLength(6);
});

test('the lock of a process that is gone is taken over', async () => {
  const lock = await lockFile();
  // Beyond the highest process id there is.
  await writeFile(lock, '99999999');
  expect(await withLock(lock, async () => Promise.resolve('done'))).toBe('done');
});

async function lockFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'star-compactor-lock-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'lock');
}
