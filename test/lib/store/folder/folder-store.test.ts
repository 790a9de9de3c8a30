import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { mountedAs, refusedFileSystem } from '../../../../lib/store/folder/file-system.ts';
import { openFolder } from '../../../../lib/store/folder/folder-store.ts';
import { gather } from '../../../support/gather.ts';

const SIGNAL = new AbortController().signal;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-folder-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('A folder as a store', () => {
  test('is made where there is none, if it may be', async () => {
    const path = join(folder, 'new', 'traces');
    await expect(openFolder(path, { create: false })).rejects.toThrow(
      `--to: ${path} cannot be used as a folder (ENOENT); accepted: a folder that can be written to, or s3://BUCKET/PREFIX`,
    );
    await using store = await openFolder(path, { create: true });
    expect(store.name).toBe(path);
    expect(await readdir(path)).toEqual([]);
  });

  test('is refused where it is a file', async () => {
    const path = join(folder, 'file');
    await writeFile(path, '');
    for (const create of [true, false])
      await expect(openFolder(path, { create })).rejects.toMatchObject({ name: 'InputError' });
  });

  test('that is only read stays as it is', async () => {
    await using store = await openFolder(folder, { create: false });
    await store.readText('a', SIGNAL);
    await gather(store.list('', '', SIGNAL));
    expect(await readdir(folder)).toEqual([]);
  });

  test('shows nothing of its own, and leaves only its lock', async () => {
    {
      await using store = await openFolder(folder, { create: false });
      await store.writeText('a/b', 'text', 'absent', SIGNAL);
      expect((await gather(store.list('', '', SIGNAL))).map(({ key }) => key)).toEqual(['a/b']);
    }
    expect((await readdir(join(folder, '.star-compactor'))).toSorted()).toEqual(['lock', 'runs']);
    expect(await readdir(join(folder, '.star-compactor', 'runs'))).toEqual([]);
  });

  test('is closed though it does not get its lock in time, and the next run clears away what is left', async () => {
    const runs = join(folder, '.star-compactor', 'runs');
    {
      await using store = await openFolder(folder, { create: false });
      await store.writeText('a/b', 'text', 'absent', SIGNAL);
      vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort());
    }
    vi.restoreAllMocks();
    expect(await readdir(runs)).toHaveLength(1);
    {
      await using store = await openFolder(folder, { create: false });
      await store.writeText('a/c', 'text', 'absent', SIGNAL);
    }
    expect(await readdir(runs)).toEqual([]);
  });

  test.each(['../a', 'a/../b', 'a//b', '/a', 'a/', '.', '', '.star-compactor/lock', 'a\0b'])(
    'refuses the key %j, which does not stay below it',
    async (key) => {
      await using store = await openFolder(folder, { create: false });
      const refused = expect.objectContaining({
        name: 'StoreError',
        message: expect.stringContaining('it is no key of a trace') as string,
      });
      await expect(store.readText(key, SIGNAL)).rejects.toEqual(refused);
      await expect(store.writeText(key, '', 'absent', SIGNAL)).rejects.toEqual(refused);
      await expect(store.remove(key, SIGNAL)).rejects.toEqual(refused);
    },
  );

  test('tells in one line what cannot be written, with the path', async () => {
    await mkdir(join(folder, 'a'));
    await writeFile(join(folder, 'a', 'file'), '');
    await using store = await openFolder(folder, { create: false });
    await expect(store.writeText('a/file/b', '', 'absent', SIGNAL)).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(new RegExp(`^could not write ${folder}/a/file/b: E(NOTDIR|EXIST): .*$`)),
    });
  });
});

describe('A file system is refused by its name', () => {
  const MOUNTS = [
    '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '30 22 0:40 / /mnt/far rw,relatime shared:2 - nfs4 server:/export rw,vers=4.2',
    '31 30 8:3 / /mnt/far/near rw - xfs /dev/sdb1 rw',
    '32 22 0:41 / /mnt/with\\040blank rw master:3 - fuse.sshfs host:/ rw',
    '33 22 8:4 / /mnt/twice rw - ext4 /dev/sdc1 rw',
    '34 22 0:42 / /mnt/twice rw - cifs //server/share rw',
    '35 22 0:43 / /srv rw - 9p hostshare rw',
  ].join('\n');

  test.each([
    ['/', undefined, 0xef53],
    ['/home/traces', undefined, 0xef53],
    ['/mnt/far', 'nfs4', 0x6969],
    ['/mnt/far/near/traces', undefined, 0x58465342],
    ['/mnt/farther', undefined, 0xef53],
    ['/mnt/with blank/traces', 'fuse.sshfs', 0x65735546],
    ['/mnt/twice', 'cifs', 0xff534d42 | 0],
    ['/srv/traces', '9p', 0x01021997],
  ])('%s: %s', (path, name, type) => {
    expect(refusedFileSystem(type, mountedAs(MOUNTS, path))).toBe(name);
  });

  test.each([
    'nfs',
    'nfs4',
    'cifs',
    'smb3',
    'fuse',
    'fuse.s3fs',
    'fuseblk',
    '9p',
    'virtiofs',
    'ceph',
    'lustre',
  ])('%s', (name) => expect(refusedFileSystem(0, name)).toBe(name));

  test.each(['ext4', 'xfs', 'btrfs', 'zfs', 'tmpfs', 'overlay', 'f2fs', 'apfs'])('%s is accepted', (name) =>
    expect(refusedFileSystem(0, name)).toBe(undefined),
  );

  test('by its number alone, where there is no list of mounts', () => {
    expect(refusedFileSystem(0x6969, undefined)).toBe('nfs');
    expect(refusedFileSystem(0xfe534d42 | 0, undefined)).toBe('smb2');
    expect(refusedFileSystem(0xef53, undefined)).toBe(undefined);
  });
});
