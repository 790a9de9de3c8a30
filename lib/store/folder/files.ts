import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open } from 'node:fs/promises';
import { dirname, sep } from 'node:path';

/** The SHA-256 of a file, by which its content is told from any other; undefined where there is none. */
export async function versionOf(path: string): Promise<string | undefined> {
  const sha256 = createHash('sha256');
  try {
    for await (const piece of createReadStream(path)) sha256.update(piece as Buffer);
    return sha256.digest('hex');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Makes sure that what a folder lists is on the disk. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder and those above it, so that they are there after a power failure, too. */
export async function makeFolders(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Nothing of that name, or a file in the place of a folder above it. */
export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Whether a key is a path that stays within the folder, and apart from what the store keeps there for itself. */
export function isSafeKey(key: string): boolean {
  const parts = key.split('/');
  const isPlain = parts.every((part) => part !== '' && part !== '.' && part !== '..');
  return isPlain && !key.includes('\0') && (sep === '/' || !key.includes(sep)) && parts[0] !== OWN;
}

/** What the store keeps in the folder for itself: its lock, and what is not whole yet. */
export const OWN = '.star-compactor';
