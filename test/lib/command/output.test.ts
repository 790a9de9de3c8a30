import { execFileSync } from 'node:child_process';
import { constants, openSync, closeSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { formatFor, openDump } from '../../../lib/command/output.ts';
import { OutputError } from '../../../lib/core/errors.ts';

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

describe('The extension of a dump’s name', () => {
  test.each([
    ['dump', 'csv'],
    ['dump.csv', 'csv'],
    ['dump.txt', 'csv'],
    ['2026-11.csv.gz', 'csv'],
    ['november.2026', 'csv'],
    ['dump.zst', 'csv'],
    ['dump.jsonl.gz', 'jsonl'],
    ['dump.parquet', 'parquet'],
    ['folder.d/dump', 'csv'],
    ['-', 'csv'],
  ])('%s is %s', (path, format) => {
    expect(formatFor(path, undefined)).toBe(format);
  });

  test.each(['x.xlsx', 'dump.csv.bz2', 'dump.zip', 'dump.tsv', 'dump.xlsx.gz', 'DUMP.PARQUETS'])(
    '%s is refused, with those that are known',
    (path) => {
      for (const asked of [undefined, 'csv', 'jsonl'] as const)
        expect(() => formatFor(path, asked)).toThrow(
          /: got an unknown extension; accepted: \.csv, \.jsonl and/,
        );
    },
  );

  test('does not contradict an option', () => {
    expect(() => formatFor('dump.csv', 'jsonl')).toThrow(/contradict each other; accepted: one format/);
  });
});

describe('A dump that replaces nothing', () => {
  test('is refused where a file of its name is, and fails where one has come meanwhile', async () => {
    const path = at('dump.csv');
    const file = await openDump(path, stop.signal, false);
    await file.write(Buffer.from('new'));
    await writeFile(path, 'of somebody else');
    await expect(file.finish()).rejects.toThrow(/the output could not be written: EEXIST/);
    await file.abort();
    await expect(openDump(path, stop.signal, false)).rejects.toThrow(
      /dump\.csv: exists already; accepted: another/,
    );
    expect(await readFile(path, 'utf8')).toBe('of somebody else');
    expect(await readdir(folder)).toEqual(['dump.csv']);
  });
});

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
  await expect(openDump(path, stop.signal)).rejects.toThrow(`${told}: is not the name of a file; accepted: `);
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
  afterEach(() => closeSync(openReader()));

  test('waits for a reader, and no longer once a signal has come', async () => {
    const opening = openDump(at('pipe'), stop.signal).then(
      () => 'opened',
      (error: unknown) => error,
    );
    await sleep(20);
    stop.abort(new Error('stopped'));
    expect(await opening).toEqual(new Error('stopped'));
  });

  test('ends with a signal though its reader reads no further', async () => {
    const reader = openReader();
    onTestFinished(() => closeSync(reader));
    const file = await openDump(at('pipe'), stop.signal);
    const writing = (async () => {
      for (;;) await file.write(Buffer.alloc(65_536));
    })().catch((error: unknown) => error);
    await sleep(20);
    stop.abort(new Error('stopped'));
    await writing;
    await expect(file.abort()).resolves.toBeUndefined();
  });
});
