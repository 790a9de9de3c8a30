import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode } from '../aws/errno.ts';
import type { Checksum } from './checksums.ts';
import { noSuchBucket, notImplemented } from './errors.ts';
import { keyToPath } from './paths.ts';

export interface StoredObject {
  key: string;
  /** Without quotes. */
  etag: string;
  size: number;
  /** Milliseconds since the epoch, whole seconds, as S3 keeps it. */
  lastModified: number;
  /** The headers of the write that a read gives back. */
  headers: Record<string, string>;
  /** Of the data file; tells at the next start whether it is still the one described here. */
  mtimeMs: number;
  checksum?: Checksum;
}

/**
 * Objects are plain files under `folder/<bucket>/<key>`; what a file cannot say of itself lies under the
 * hidden `folder/.s3`. Which objects there are is kept in memory, read from both at the start.
 */
export interface Store {
  folder: string;
  temp: string;
  uploads: string;
  descriptions: string;
  buckets: Map<string, Map<string, StoredObject>>;
}

export function layout(folder: string): Store {
  const hidden = join(folder, '.s3');
  return {
    folder,
    temp: join(hidden, 'temp'),
    uploads: join(hidden, 'uploads'),
    descriptions: join(hidden, 'objects'),
    buckets: new Map(),
  };
}

export function bucketOf(store: Store, bucket: string): Map<string, StoredObject> {
  const objects = store.buckets.get(bucket);
  if (!objects) throw noSuchBucket(bucket);
  return objects;
}

export function dataFile(store: Store, bucket: string, key: string): string {
  return join(store.folder, bucket, keyToPath(key));
}

export function descriptionFile(store: Store, bucket: string, key: string): string {
  return join(store.descriptions, bucket, `${createHash('sha256').update(key).digest('hex')}.json`);
}

/**
 * Makes the temporary `file` the object. Synchronous from end to end, so that no reader of this process
 * sees the data of one version with the description of another; killed in between, the next start finds
 * data without its description and writes its description again.
 */
export function commitObject(
  store: Store,
  bucket: string,
  file: string,
  described: Omit<StoredObject, 'lastModified' | 'mtimeMs'>,
): StoredObject {
  const target = dataFile(store, bucket, described.key);
  const { mtimeMs } = statSync(file);
  const object = { ...described, lastModified: Math.floor(Date.now() / 1000) * 1000, mtimeMs };
  try {
    mkdirSync(dirname(target), { recursive: true });
    renameSync(file, target);
  } catch (error) {
    // S3 has no folders; a file system cannot hold both "a" and "a/b".
    if (['EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY'].includes(errorCode(error) ?? '')) {
      throw notImplemented(`a key that is also the folder of another: ${described.key}`);
    }
    throw error;
  }
  replaceFile(store, descriptionFile(store, bucket, object.key), JSON.stringify(object));
  bucketOf(store, bucket).set(object.key, object);
  return object;
}

/** Says whether there was an object. */
export function removeObject(store: Store, bucket: string, key: string): boolean {
  if (!bucketOf(store, bucket).delete(key)) return false;
  const data = dataFile(store, bucket, key);
  rmSync(data, { force: true });
  rmSync(descriptionFile(store, bucket, key), { force: true });
  removeEmptyFolders(dirname(data), join(store.folder, bucket));
  return true;
}

/** Replaces a small file in one step. */
export function replaceFile(store: Store, path: string, content: string): void {
  const temp = join(store.temp, randomUUID());
  writeFileSync(temp, content);
  mkdirSync(dirname(path), { recursive: true });
  renameSync(temp, path);
}

function removeEmptyFolders(folder: string, top: string): void {
  for (let at = folder; at !== top; at = dirname(at)) {
    try {
      rmdirSync(at);
    } catch {
      return; // Not empty: it holds other objects.
    }
  }
}
