import { createHash } from 'node:crypto';
import { type BigIntStats, createReadStream } from 'node:fs';
import { type FileHandle, lstat, mkdir, readFile, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Transform } from 'node:stream';
import { InputError, StarError, StoreError, firstLine } from '../../core/errors.ts';
import { type Listed, type ObjectSummary, type Store, type Target, parseJson } from '../store.ts';
import { openStreamed } from '../streamed.ts';
import { refuseOtherFileSystems } from './file-system.ts';
import { OWN, isMissing, isSafeKey, versionOf } from './files.ts';
import { type Writing, openWriting } from './writing.ts';

/**
 * A folder on a local disk as a store. Keys are paths below it. Compare-and-swap is done under a lock that the kernel
 * frees when its holder dies, so that several processes, also in several containers of one machine, can write at once.
 * A file is written beside, brought to the disk, and moved to its place.
 *
 * @param create whether to make the folder where there is none
 * @throws InputError where the folder cannot be used, or is on a file system that keeps no lock
 */
export async function openFolder(
  given: string,
  { create }: { create: boolean },
): Promise<Store & AsyncDisposable> {
  const folder = await openable(given, create);
  await refuseOtherFileSystems(folder);
  let writing: Promise<Writing> | undefined;
  // What only reads leaves no trace.
  const writer = (signal: AbortSignal): Promise<Writing> => {
    writing ??= openWriting(folder, signal).catch((error: unknown) => {
      writing = undefined;
      throw error;
    });
    return writing;
  };
  const pathOf = (key: string): string => {
    if (isSafeKey(key)) return join(folder, key);
    throw new StoreError(`could not use ${folder}/${key}: it is no key of a trace`);
  };
  const telling = async <T>(verb: string, key: string, work: (path: string) => Promise<T>): Promise<T> => {
    const path = pathOf(key);
    try {
      return await work(path);
    } catch (error) {
      throw folderError(verb, path, error);
    }
  };
  return {
    name: folder,
    readText: (key) =>
      telling('read', key, async (path) => {
        const bytes = await readFile(path).catch(undefinedIfMissing);
        if (bytes === undefined) return undefined;
        const text = bytes.toString('utf8');
        const version = createHash('sha256').update(bytes).digest('hex');
        return { text, json: () => parseJson(text), version };
      }),
    read: (key, signal) =>
      telling('read', key, async (path) => {
        const found = await lstat(path).catch(undefinedIfMissing);
        return found?.isFile() === true ? pieces(path, signal) : undefined;
      }),
    expectedNow: (key) =>
      telling('read', key, async (path) => {
        const version = await versionOf(path);
        return version === undefined ? 'absent' : { version };
      }),
    list: (prefix, after, signal) => list(folder, prefix, after, signal),
    writeText: (key, text, expected, signal) =>
      telling('write', key, async (path) => {
        const to = await writer(signal);
        const bytes = Buffer.from(text);
        const isPlaced = await placeFile(to, path, expected, signal, (handle) => handle.writeFile(bytes));
        return isPlaced ? createHash('sha256').update(bytes).digest('hex') : undefined;
      }),
    open(target, compressor, signal) {
      const path = pathOf(target.key);
      const sending = {
        send: async () => send(await writer(signal), path, target, compressor, signal),
        isLost: (error: unknown) => error instanceof OvertakenError,
        toError: (error: unknown) => folderError('write', path, error),
      };
      return openStreamed(compressor, sending, signal);
    },
    remove: (key, signal) =>
      telling('remove', key, async (path) => (await writer(signal)).remove(path, signal)),
    // A local disk has the clock of this machine.
    clock: () => Promise.resolve(null),
    // The lock is this code's own; what can fail is the folder.
    probe: (key, signal) =>
      telling('write', key, async (path) => {
        const to = await writer(signal);
        await placeFile(to, path, 'absent', signal, (handle) => handle.writeFile('probe'));
        await to.remove(path, signal);
        return [];
      }),
    async [Symbol.asyncDispose]() {
      await (await writing?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}

async function openable(given: string, create: boolean): Promise<string> {
  try {
    if (create) await mkdir(given, { recursive: true });
    await readdir(given);
    return await realpath(given);
  } catch (error) {
    throw new InputError(
      `--to: ${given} cannot be used as a folder (${(error as NodeJS.ErrnoException).code}); ` +
        'accepted: a folder that can be written to, or s3://BUCKET/PREFIX',
    );
  }
}

class OvertakenError extends Error {}

async function send(
  to: Writing,
  path: string,
  { expected }: Target,
  compressor: Transform,
  signal: AbortSignal,
): Promise<ObjectSummary> {
  const sha256 = createHash('sha256');
  let bytes = 0;
  const isPlaced = await placeFile(to, path, expected, signal, async (handle) => {
    for await (const chunk of compressor as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      bytes += chunk.length;
      sha256.update(chunk);
      await handle.writeFile(chunk);
    }
  });
  if (!isPlaced) throw new OvertakenError();
  return { bytes, sha256: sha256.digest('hex') };
}

/** Writes a file beside, brings it to the disk, and moves it to its place if what is there was expected. */
async function placeFile(
  to: Writing,
  path: string,
  expected: Target['expected'],
  signal: AbortSignal,
  write: (handle: FileHandle) => Promise<void>,
): Promise<boolean> {
  const { path: file, handle } = await to.create();
  let isPlaced = false;
  try {
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    isPlaced = await to.place(file, path, expected, signal);
    return isPlaced;
  } finally {
    if (!isPlaced) await rm(file, { force: true });
  }
}

async function* pieces(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const piece of createReadStream(path, { signal })) yield piece as Buffer;
  } catch (error) {
    throw folderError('read', path, error);
  }
}

/** In the order of keys, in which a folder's slash counts: `a.b` comes before what is in `a`. */
async function* list(
  folder: string,
  prefix: string,
  after: string,
  signal: AbortSignal,
): AsyncGenerator<Listed, void, void> {
  const walk = async function* (above: string): AsyncGenerator<Listed, void, void> {
    signal.throwIfAborted();
    const path = join(folder, above);
    const entries =
      (await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw folderError('list', path, error);
      })) ?? [];
    const keys = entries
      .filter(({ name }) => above !== '' || name !== OWN)
      .filter((entry) => entry.isFile() || entry.isDirectory())
      .map((entry) => `${above}${entry.name}${entry.isDirectory() ? '/' : ''}`)
      .toSorted();
    for (const key of keys) {
      if (key.endsWith('/')) {
        const mayHold = prefix.startsWith(key) || key.startsWith(prefix);
        if (mayHold && (key > after || after.startsWith(key))) yield* walk(key);
      } else if (key.startsWith(prefix) && key > after) {
        const found = await lstat(join(folder, key), { bigint: true }).catch(undefinedIfMissing);
        // It may have been removed meanwhile.
        if (found !== undefined) yield listed(key, found);
      }
    }
  };
  yield* walk(prefix.slice(0, prefix.lastIndexOf('/') + 1));
}

function listed(key: string, { size, mtimeNs, ino }: BigIntStats): Listed {
  return {
    key,
    bytes: Number(size),
    tag: `${size}-${mtimeNs}-${ino}`,
    modified: Number(mtimeNs / 1_000_000_000n),
  };
}

function undefinedIfMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

function folderError(verb: string, path: string, error: unknown): Error {
  // An abort is the invocation's own doing, and its reason says more.
  if (error instanceof StarError || (error as Error).name === 'AbortError') return error as Error;
  const { code } = error as NodeJS.ErrnoException;
  const reason =
    code === 'EXDEV'
      ? 'it is on another file system than the folder of the store; keep all of it on one'
      : firstLine(error);
  return new StoreError(`could not ${verb} ${path}: ${reason}`, { cause: error });
}
