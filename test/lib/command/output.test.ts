import { execFileSync } from 'node:child_process';
import { constants, openSync, closeSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDump } from '../../../lib/command/output.ts';
import { OutputError } from '../../../lib/errors.ts';

let folder: string;
let stop: AbortController;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-output-'));
  stop = new AbortController();
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
const dump = async (path: string, text = 'new'): Promise<void> => {
  const file = await openDump(path, stop.signal);
  await file.write(Buffer.from(text));
  await file.finish();
};

describe('A dump whose name is a link', () => {
  test('goes where the link leads, which stays a link', async () => {
    await mkdir(at('disk'));
    await writeFile(at('disk/dump.csv'), 'old');
    await symlink('disk/dump.csv', at('latest.csv'));
    await dump(at('latest.csv'));
    expect((await lstat(at('latest.csv'))).isSymbolicLink()).toBe(true);
    expect(await readFile(at('disk/dump.csv'), 'utf8')).toBe('new');
    expect(await readdir(at('disk'))).toEqual(['dump.csv']);
  });

  test('goes there too where nothing is yet', async () => {
    await mkdir(at('disk'));
    await symlink('latest.csv', at('newest.csv'));
    await symlink('disk/dump.csv', at('latest.csv'));
    await dump(at('newest.csv'));
    expect(await readFile(at('disk/dump.csv'), 'utf8')).toBe('new');
    expect((await lstat(at('latest.csv'))).isSymbolicLink()).toBe(true);
  });
});

test('A dump that replaces a file may be read by those who might read that one', async () => {
  await writeFile(at('dump.csv'), 'old', { mode: 0o600 });
  await dump(at('dump.csv'));
  expect((await stat(at('dump.csv'))).mode & 0o777).toBe(0o600);
  expect(await readFile(at('dump.csv'), 'utf8')).toBe('new');
});

test('A dump is not kept from its place by what a killed process of the same number left there', async () => {
  await writeFile(at(`.dump.csv.${process.pid}.part`), 'half');
  await dump(at('dump.csv'));
  expect(await readFile(at('dump.csv'), 'utf8')).toBe('new');
});

test.each([
  ['', '""'],
  ['none/', 'none/'],
])('A name of no file, "%s", is refused before anything is read', async (path, told) => {
  await expect(openDump(path, stop.signal)).rejects.toThrow(`${told}: is no name of a file; accepted: `);
});

test('A dump that cannot be moved to its place leaves nothing behind and says so', async () => {
  const file = await openDump(at('dump.csv'), stop.signal);
  await mkdir(at('dump.csv'));
  await expect(file.finish()).rejects.toThrow(OutputError);
  await file.abort();
  expect(await readdir(folder)).toEqual(['dump.csv']);
});

describe('A dump into a pipe', () => {
  /** Lets a stuck open or write go, so that a failing test ends. */
  const openReader = (): number => openSync(at('pipe'), constants.O_RDONLY | constants.O_NONBLOCK);
  beforeEach(() => void execFileSync('mkfifo', [at('pipe')]));

  test('waits for a reader, and no longer once a signal has come', async () => {
    const opening = openDump(at('pipe'), stop.signal).then(
      () => 'opened',
      (error: unknown) => error,
    );
    await sleep(20);
    stop.abort(new Error('stopped'));
    const outcome = await Promise.race([opening, sleep(2000, 'still waiting')]);
    closeSync(openReader());
    expect(outcome).toEqual(new Error('stopped'));
  });

  test('ends with a signal though its reader reads no further', async () => {
    const reader = openReader();
    const file = await openDump(at('pipe'), stop.signal);
    const writing = (async () => {
      for (;;) await file.write(Buffer.alloc(65_536));
    })().catch((error: unknown) => error);
    await sleep(20);
    stop.abort(new Error('stopped'));
    const outcome = await Promise.race([writing.then(() => file.abort()), sleep(2000, 'still writing')]);
    closeSync(reader);
    expect(outcome).toBeUndefined();
  });
});
