import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, statfsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';

/*
 * Runs before each test file, in its worker: whatever the tests put among the temporary files lies below a folder of
 * the worker's own, which is made for its first file. A shell waits for the end of the pipe that it shares with the
 * worker, and then deletes the folder: no `afterEach` runs when Ctrl+C ends the suite. Other processes of the tests may
 * be about to end by then, so it tries until nothing is added any more.
 */

/** Where `/tmp` is on a disk, tests take half as long again. Their servers and files need less than this. */
const ROOM = 4 * 2 ** 30;

function inMemory(): string | undefined {
  const place = '/dev/shm';
  try {
    const { bavail, bsize } = statfsSync(place);
    return bavail * bsize >= ROOM && freemem() >= ROOM ? place : undefined;
  } catch {
    return undefined;
  }
}

const PLACED = Symbol.for('star-compactor: the worker has its folder');

function makeFolder(): string {
  const parent = process.env['TMPDIR'] === undefined ? (inMemory() ?? tmpdir()) : tmpdir();

  // The name is short, because the path of a socket below it may have no more than about a hundred bytes.
  const folder = join(parent, `star-${randomBytes(4).toString('hex')}`);

  // First, because Ctrl+C may come at any moment.
  const keeper = spawn('sh', ['-c', 'cat >/dev/null; until rm -rf "$0"; do sleep 0.1; done', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own session: Ctrl+C must not reach it.
    detached: true,
  });
  keeper.unref();
  // It is a pipe, whatever its type says, and must not keep this process alive.
  (keeper.stdin as Socket).unref();

  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

const worker = globalThis as { [PLACED]?: true };
if (worker[PLACED] !== true) {
  process.env['TMPDIR'] = makeFolder();
  worker[PLACED] = true;
}
