import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Expected } from '../store.ts';
import { OWN, isThere, makeFolders, syncFolder, versionOf } from './files.ts';
import { type Lock, openLock } from './lock.ts';

/** What it takes to write in a folder: its lock, and a place for files that are not whole yet. */
export interface Writing extends AsyncDisposable {
  /** A new file, in the same file system as all the others; nobody looks for it. */
  create(): Promise<{ readonly path: string; readonly handle: FileHandle }>;
  /**
   * Gives a file its place if what is there still is what was expected. The file is on the disk.
   *
   * @returns whether it was
   */
  place(file: string, path: string, expected: Expected, signal: AbortSignal): Promise<boolean>;
  /** Removes a file, if it is there. */
  remove(path: string, signal: AbortSignal): Promise<void>;
}

/** Opens a folder for writing, and clears away the files of runs that have died. */
export async function openWriting(folder: string, signal: AbortSignal): Promise<Writing> {
  const runs = join(folder, OWN, 'runs');
  await makeFolders(runs);
  const lock = await openLock(join(folder, OWN, 'lock'));
  const own = join(runs, randomUUID());
  let life: Lock;
  try {
    // Under the lock, so that nobody takes a run for dead that has not locked its own file yet.
    life = await lock.hold(signal, async () => {
      for (const run of await readdir(runs)) await removeDead(join(runs, run));
      await mkdir(own);
      const kept = await openLock(join(own, LIFE));
      kept.tryToKeep();
      return kept;
    });
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
  let count = 0;
  return {
    async create() {
      const path = join(own, String(++count));
      return { path, handle: await open(path, 'wx') };
    },
    async place(file, path, expected, until) {
      await makeFolders(dirname(path));
      return lock.hold(until, async () => {
        const isExpected =
          expected === 'absent' ? !(await isThere(path)) : (await versionOf(path)) === expected.version;
        if (!isExpected) return false;
        await rename(file, path);
        await syncFolder(dirname(path));
        return true;
      });
    },
    remove: (path, until) =>
      lock.hold(until, async () => {
        if (!(await isThere(path))) return;
        await rm(path);
        await syncFolder(dirname(path));
      }),
    async [Symbol.asyncDispose]() {
      // Under the lock, so that a run that looks for dead ones does not meet half of this.
      const cleared = lock.hold(AbortSignal.timeout(PATIENCE_MS), () => {
        life[Symbol.dispose]();
        return rm(own, { recursive: true, force: true });
      });
      // Everything is published by now. What is left behind is found dead by the next run.
      await cleared.catch(() => undefined);
      life[Symbol.dispose]();
      lock[Symbol.dispose]();
    },
  };
}

/** What a run that is about to end waits for the lock; what it leaves, the next run clears away. */
const PATIENCE_MS = 10_000;

/** A run holds the lock of this file as long as it lives. */
const LIFE = 'life';

async function removeDead(run: string): Promise<void> {
  const life = await openLock(join(run, LIFE));
  const isDead = life.tryToKeep();
  life[Symbol.dispose]();
  if (isDead) await rm(run, { recursive: true, force: true });
}
