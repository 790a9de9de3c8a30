import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFolder } from '../../../../lib/store/folder/folder-store.ts';
import { openLock } from '../../../../lib/store/folder/lock.ts';
import { seeded } from '../../../support/nova/prng.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1e6);
const SIGNAL = new AbortController().signal;
const COUNTER = fileURLToPath(new URL('../../../support/folder/counter.ts', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-folder-'));
});
afterEach(() => rm(folder, { recursive: true }));

const counting = (times: number): ChildProcess =>
  spawn(process.execPath, [COUNTER, folder, String(times)], { stdio: ['ignore', 'pipe', 'inherit'] });

const counted = async (): Promise<number> => Number(await readFile(join(folder, 'counter.json'), 'utf8'));
const runsLeft = (): Promise<string[]> => readdir(join(folder, '.star-compactor', 'runs'));

describe('Several processes in one folder', () => {
  test('count by compare-and-swap without losing a step, and leave nothing over', async () => {
    const processes = [counting(40), counting(40), counting(40)];
    const ended = await Promise.all(processes.map((child) => once(child, 'exit')));
    expect(ended.map(([code]) => code as number)).toEqual([0, 0, 0]);
    expect(await counted()).toBe(120);
    expect(await readdir(join(folder, 'data'))).toHaveLength(120);
    expect(await runsLeft()).toEqual([]);
  });

  test(`killed at random moments leave the lock free, no half file, and nothing that the next one does not clear away (seed ${SEED})`, async () => {
    const random = seeded(SEED);
    for (let kill = 0; kill < 12; kill++) {
      const child = counting(1_000_000);
      const ended = once(child, 'exit');
      await once(child.stdout!, 'data');
      await delay(random.between(0, 120));
      child.kill('SIGKILL');
      await ended;
    }
    await using store = await openFolder(folder, { create: false });
    const { version = '', text = '0' } = (await store.readText('counter.json', SIGNAL)) ?? {};
    await store.writeText('counter.json', text, version === '' ? 'absent' : { version }, SIGNAL);
    expect(await runsLeft()).toHaveLength(1);
    for await (const { key, bytes } of store.list('data/', '', SIGNAL)) {
      const name = key.slice('data/'.length);
      expect(bytes).toBe(name.length * 100_000);
      expect((await store.readText(key, SIGNAL))?.text).toBe(name.repeat(100_000));
    }
  }, 60_000);
});

describe('The lock', () => {
  const path = (): string => join(folder, 'lock');

  test('is held by one at a time, in the order of asking within one object', async () => {
    using lock = await openLock(path());
    using other = await openLock(path());
    let inside = 0;
    const order: number[] = [];
    const work = (n: number) => async (): Promise<void> => {
      expect(++inside).toBe(1);
      await delay(5);
      order.push(n);
      inside--;
    };
    await Promise.all([
      ...[1, 2, 3].map((n) => lock.hold(SIGNAL, work(n))),
      ...[11, 12, 13].map((n) => other.hold(SIGNAL, work(n))),
    ]);
    expect(order.filter((n) => n < 10)).toEqual([1, 2, 3]);
    expect(order.filter((n) => n > 10)).toEqual([11, 12, 13]);
  });

  test('is free again after work that failed, which is what it says', async () => {
    using lock = await openLock(path());
    await expect(lock.hold(SIGNAL, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await lock.hold(SIGNAL, () => Promise.resolve('done'))).toBe('done');
  });

  test('that is kept is waited for until the signal', async () => {
    using lock = await openLock(path());
    using other = await openLock(path());
    expect(lock.tryToKeep()).toBe(true);
    expect(other.tryToKeep()).toBe(false);
    const controller = new AbortController();
    const waiting = other.hold(controller.signal, () => Promise.resolve());
    controller.abort(new Error('time is over'));
    await expect(waiting).rejects.toThrow('time is over');
  });

  test('that cannot be made is an error of the store', async () => {
    await expect(openLock(join(folder, 'none', 'lock'))).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringContaining(`could not lock ${folder}/none/lock`),
    });
  });
});
