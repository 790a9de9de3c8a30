import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants, openSync } from 'node:fs';
import { link, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { PassThrough, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FormatName } from '../config/choices.ts';
import type { Piece } from '../format/format.ts';
import { COMPRESSORS } from '../format/packing.ts';
import { InputError, OutputError, ReaderGoneError, firstLine } from '../core/errors.ts';

/** A dump that is being written. The file gets its name when it is complete and `finish` returns, or never. */
export interface DumpFile {
  /** Takes the next piece; returns once there is room for more. */
  write(piece: Piece): Promise<void>;
  /** @returns bytes written */
  finish(): Promise<number>;
  /** Removes what was written so far. Without effect once finished. */
  abort(): Promise<void>;
}

const COMPRESSION = Object.values(COMPRESSORS);

/** Formats by their extension, which comes before that of a compression. */
const BY_EXTENSION: readonly (readonly [RegExp, FormatName])[] = [
  [/\.csv$/, 'csv'],
  [/\.(jsonl|jsons|ndjson|json)$/, 'jsonl'],
  [/\.parquet$/, 'parquet'],
];

/**
 * The format that a file's extension names; CSV without one.
 *
 * @param asked by an option
 * @throws InputError if name and option contradict each other
 */
export function formatFor(path: string, asked: FormatName | undefined): FormatName {
  const name = withoutCompression(path);
  const told = BY_EXTENSION.find(([pattern]) => pattern.test(name))?.[1];
  if (told === undefined && /\.(?!txt$)[a-z]\w{0,7}$/i.test(basename(name))) {
    throw new InputError(
      `${basename(path)}: got an unknown extension; accepted: .csv, .jsonl and .parquet, the first two also with .gz or ` +
        '.zst behind, or a name without an extension',
    );
  }
  const format = asked ?? told ?? 'csv';
  if (asked !== undefined && told !== undefined && told !== asked) {
    throw new InputError(
      `${basename(path)}: its name and the option for ${asked} contradict each other; accepted: one format`,
    );
  }
  if (format === 'parquet' && name !== path) {
    throw new InputError(
      `${basename(path)}: Parquet is compressed inside; accepted: a name without an extension of a compression`,
    );
  }
  return format;
}

function withoutCompression(path: string): string {
  const found = COMPRESSION.find(({ extension }) => path.endsWith(extension));
  return found === undefined ? path : path.slice(0, -found.extension.length);
}

/**
 * Opens a dump, compressed as the extension says. A file is written under another name in the same folder and renamed
 * at the end; a link is followed first.
 *
 * @param path of a file, or `-` for standard output
 * @param replaces whether a file of that name may be there already
 * @param signal ends waiting for the reader of the output
 * @throws InputError if nothing can be written there
 */
export async function openDump(path: string, signal: AbortSignal, replaces = true): Promise<DumpFile> {
  return path === '-' ? through(new PassThrough(), process.stdout, signal) : toFile(path, signal, replaces);
}

async function toFile(path: string, signal: AbortSignal, replaces: boolean): Promise<DumpFile> {
  const refuse = (reason: string): never => {
    throw new InputError(
      `${path === '' ? '""' : path}: ${reason}; accepted: a file in a folder that can be written to, or -`,
    );
  };
  const refuseFor = (error: NodeJS.ErrnoException): never => {
    signal.throwIfAborted();
    return refuse(`could not be written (${error.code})`);
  };
  if (path === '' || path.endsWith('/')) refuse('is not the name of a file');
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) refuse('is a folder');
  // A pipe or a device cannot be replaced by a file.
  if (found?.isFIFO() === true) {
    return through(compressionOf(path), await openPipe(path, signal).catch(refuseFor), signal);
  }
  if (found?.isFile() === false) {
    const device = await open(path, 'w').catch(refuseFor);
    return through(compressionOf(path), device.createWriteStream(), signal);
  }
  if (found !== undefined && !replaces)
    throw new InputError(`${path}: exists already; accepted: another name, or no --no-clobber`);
  const place = await behindLinks(path);
  // Random, not the process's number: in a container the number is always the same, and a killed process leaves its
  // part.
  const part = join(dirname(place), `.${basename(place)}.${randomBytes(4).toString('hex')}.part`);
  const handle = await open(part, 'wx').catch(refuseFor);
  // The new file gets the permissions of the one that it replaces.
  if (found !== undefined) await handle.chmod(found.mode & 0o777);
  const sink = through(compressionOf(path), handle.createWriteStream({ flush: true }), signal);
  let isOver = false;
  return {
    write: (piece) => sink.write(piece),
    async finish() {
      const bytes = await sink.finish();
      await (replaces ? rename(part, place) : appear(part, place)).catch(tellUnwritten);
      isOver = true;
      return bytes;
    },
    async abort() {
      if (isOver) return;
      isOver = true;
      await sink.abort();
      await rm(part, { force: true });
    },
  };
}

/** Gives a file its name, unless another file has got it meanwhile. */
async function appear(part: string, place: string): Promise<void> {
  await link(part, place);
  await rm(part);
}

/** Resolves links of a path, even if nothing is there yet. */
async function behindLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const target = isMissing ? await readlink(path).catch(() => undefined) : undefined;
    return target === undefined ? path : behindLinks(resolve(dirname(path), target));
  }
}

const BETWEEN_TRIES_MS = 100;

/**
 * Waits for a reader without a blocking open or write: neither a signal nor the end of the process could interrupt
 * those.
 */
async function openPipe(path: string, signal: AbortSignal): Promise<Writable> {
  for (;;) {
    try {
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      return new Socket({ fd, readable: false, writable: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
    }
    await sleep(BETWEEN_TRIES_MS, undefined, { signal });
  }
}

function compressionOf(path: string): Transform {
  const found = COMPRESSION.find(({ extension }) => path.endsWith(extension));
  return found?.compressor() ?? new PassThrough();
}

/** Writes through a compression into a stream; the next call throws what failed there. */
function through(head: Transform, sink: Writable, signal: AbortSignal): DumpFile {
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  // Standard output cannot be ended.
  const piped = pipeline(head, counter, sink, { end: sink !== process.stdout, signal });
  piped.catch(() => undefined);
  return {
    async write(piece) {
      if (head.destroyed) await piped.catch(tellUnwritten);
      if (head.write(piece)) return;
      await Promise.race([once(head, 'drain'), piped]).catch(tellUnwritten);
    },
    async finish() {
      head.end();
      await piped.catch(tellUnwritten);
      // Such a stream may still hold data for a slow reader, and the process ends soon.
      if (sink === process.stdout) await flushed(sink, signal).catch(tellUnwritten);
      return bytes;
    },
    async abort() {
      head.destroy();
      await piped.catch(() => undefined);
    },
  };
}

function tellUnwritten(error: unknown): never {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE')
    throw new ReaderGoneError('the reader of the output has gone', { cause: error });
  throw new OutputError(`the output could not be written: ${firstLine(error)}`, { cause: error });
}

function flushed(stream: Writable, signal: AbortSignal): Promise<void> {
  return new Promise((done, reject) => {
    signal.throwIfAborted();
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    stream.write('', (error) => (error ? reject(error) : done()));
  });
}
