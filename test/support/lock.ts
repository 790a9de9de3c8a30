import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 100;
const GIVE_UP_MS = 300_000;

/**
 * Runs `work` in one process at a time: test workers start together and must not unpack the same thing twice.
 * A lock whose process is gone is taken over. Two that take it over at once only work twice, for what is
 * made under a lock here is moved to its place by one rename.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + GIVE_UP_MS;
  while (!(await acquire(path))) {
    if (Date.now() > deadline) throw new Error(`Waited too long for ${path}; delete it if nobody is at work`);
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function acquire(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const holder = await readFile(path, 'utf8').catch(() => '');
    if (holder !== '' && !isAlive(Number(holder))) await rm(path, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process cannot be signalled, but it is there.
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
