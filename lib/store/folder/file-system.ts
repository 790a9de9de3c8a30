import { readFile, statfs } from 'node:fs/promises';
import { InputError } from '../../core/errors.ts';

/**
 * File systems on which a lock, or a rename, is not what it is on a local disk: on a network, of a cluster, or in user
 * space. By the numbers that statfs(2) gives; one behind FUSE has the number of FUSE.
 */
const NUMBERS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xfe534d42, 'smb2'],
  [0xff534d42, 'cifs'],
  [0x65735546, 'fuse'],
  [0x01021997, '9p'],
  [0x00c36400, 'ceph'],
  [0x5346414f, 'afs'],
  [0x6b414653, 'afs'],
  [0x73757245, 'coda'],
  [0x564c, 'ncp'],
  [0x01161970, 'gfs2'],
  [0x7461636f, 'ocfs2'],
  [0x0bd00bd0, 'lustre'],
  [0x47504653, 'gpfs'],
  [0x19830326, 'beegfs'],
  [0x786f4256, 'vboxsf'],
  [0x7c7c6673, 'prl_fs'],
]);

const NAMES =
  /^(?:nfs\d*|cifs|smb\w*|fuse\b.*|fuseblk|9p|virtiofs|ceph|afs|coda|ncp\w*|gfs2?|ocfs2?|lustre|gpfs|beegfs|glusterfs|orangefs|vboxsf|prl_fs|davfs2?)$/;

/** @throws InputError for a folder on a file system that does not keep a lock as a local disk does */
export async function refuseOtherFileSystems(folder: string): Promise<void> {
  const { type } = await statfs(folder);
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const name = refusedFileSystem(type, mountedAs(mounts, folder));
  if (name === undefined) return;
  throw new InputError(
    `--to: ${folder} is on a file system of type ${name}, where a lock does not keep two runs apart; ` +
      'accepted: a folder on a local disk, or s3://BUCKET/PREFIX',
  );
}

/**
 * The name of a file system that is refused; undefined for one that is accepted.
 *
 * @param type as statfs(2) gives it
 * @param mounted as the kernel names it, which is more exact
 */
export function refusedFileSystem(type: number, mounted: string | undefined): string | undefined {
  if (mounted !== undefined && NAMES.test(mounted)) return mounted;
  // Some of these numbers come with a sign.
  return NUMBERS.get(type >>> 0);
}

/**
 * The type of the file system that a folder is on.
 *
 * @param mounts what /proc/self/mountinfo holds
 * @param folder an absolute path without links
 */
export function mountedAs(mounts: string, folder: string): string | undefined {
  let best: { readonly point: string; readonly type: string } | undefined;
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const point = before
      .split(' ')[4]
      ?.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    const [type] = after.split(' ');
    if (point === undefined || type === undefined) continue;
    const isAbove = folder === point || folder.startsWith(point === '/' ? '/' : `${point}/`);
    // Of two at the same place the later one counts.
    if (isAbove && point.length >= (best?.point.length ?? 0)) best = { point, type };
  }
  return best?.type;
}
