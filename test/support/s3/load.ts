import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToKey } from './paths.ts';
import { descriptionFile, layout } from './store.ts';
import type { Store, StoredObject } from './store.ts';

/** Opens a folder, made where it does not exist, with what an earlier server left in it. */
export async function openStore(folder: string, buckets: string[]): Promise<Store> {
  const store = layout(folder);
  await rm(store.temp, { recursive: true, force: true });
  await mkdir(store.temp, { recursive: true });
  await mkdir(store.uploads, { recursive: true });
  for (const bucket of buckets) {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw new Error(`Not a bucket name: ${bucket}`);
    await mkdir(join(folder, bucket), { recursive: true });
    store.buckets.set(bucket, await loadBucket(store, bucket));
  }
  return store;
}

async function loadBucket(store: Store, bucket: string): Promise<Map<string, StoredObject>> {
  const objects = new Map<string, StoredObject>();
  const top = join(store.folder, bucket);
  for (const entry of await readdir(top, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const key = pathToKey(relative(top, path).split(sep).join('/'));
    objects.set(key, await describe(store, bucket, key, path));
  }
  return objects;
}

/** The description kept of the file, or, where the file is not the one described, a new one. */
async function describe(store: Store, bucket: string, key: string, path: string): Promise<StoredObject> {
  const { size, mtimeMs } = await stat(path);
  const kept = readDescription(store, bucket, key);
  if (kept && kept.size === size && kept.mtimeMs === mtimeMs) return kept;
  const md5 = createHash('md5');
  await pipeline(createReadStream(path), md5);
  const lastModified = Math.floor(mtimeMs / 1000) * 1000;
  return { key, etag: md5.digest('hex'), size, lastModified, mtimeMs, headers: kept?.headers ?? {} };
}

function readDescription(store: Store, bucket: string, key: string): StoredObject | undefined {
  try {
    const kept: StoredObject = JSON.parse(readFileSync(descriptionFile(store, bucket, key), 'utf8'));
    return kept;
  } catch {
    return undefined; // None, or cut short by a crash of the machine.
  }
}
