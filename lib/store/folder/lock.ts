import type { DatabaseSync } from 'node:sqlite';
import { StoreError, firstLine } from '../../core/errors.ts';
import { pause } from '../../core/pause.ts';

/** A lock on a file of this machine. The kernel frees it when its holder dies, also one in another container. */
export interface Lock extends Disposable {
  /** Does the work while nobody else holds the lock. The work of one object of this kind is done one after the other. */
  hold<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** Takes the lock for as long as the process lives, or until it is disposed of. @returns whether it was free */
  tryToKeep(): boolean;
}

/** What is done under the lock takes milliseconds; the hash of a large file that is replaced, seconds. */
const PATIENCE_MS = 60_000;

const BUSY = 5;

/**
 * The lock is an exclusive transaction of SQLite on an empty database, which is a POSIX lock (`fcntl`) on Linux. It is
 * never stolen by its age: only the kernel knows whether its holder lives. Nothing else may open the file: when any
 * handle of a process is closed, all its POSIX locks on that file are gone. SQLite takes care of that for its own.
 *
 * @throws StoreError where the file cannot be used
 */
export async function openLock(path: string): Promise<Lock> {
  const { DatabaseSync } = await loadSqlite();
  const toError = (error: unknown): StoreError =>
    new StoreError(`could not lock ${path}: ${firstLine(error)}`, { cause: error });
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    throw toError(error);
  }
  const tryToTake = (): boolean => {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return true;
    } catch (error) {
      if ((error as { errcode?: number }).errcode === BUSY) return false;
      throw toError(error);
    }
  };
  let last: Promise<unknown> = Promise.resolve();
  const take = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    const started = performance.now();
    while (!tryToTake()) {
      if (performance.now() - started > PATIENCE_MS) {
        throw new StoreError(
          `could not lock ${path}: another process has held it for over a minute; look whether one hangs`,
        );
      }
      await pause(1 + Math.random() * 10, signal);
    }
  };
  return {
    hold(signal, work) {
      const done = last.then(async () => {
        await take(signal);
        try {
          return await work();
        } finally {
          database.exec('ROLLBACK');
        }
      });
      last = done.catch(() => undefined);
      return done;
    },
    tryToKeep: tryToTake,
    [Symbol.dispose]: () => {
      if (database.isOpen) database.close();
    },
  };
}

/** Without the warning that Node.js 22 gives, of which an operator can make nothing. */
async function loadSqlite(): Promise<{ readonly DatabaseSync: typeof DatabaseSync }> {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return await import('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
