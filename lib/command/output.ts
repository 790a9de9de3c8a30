import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { once } from 'node:events';
import { PassThrough, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import type { FormatName, Piece } from '../format/format.ts';
import { InputError, OutputError, ReaderGoneError, firstLine } from '../errors.ts';

/** A dump that is being written. It bears its name, whole, when `finish` returns, or never. */
export interface DumpFile {
  /** Takes the next piece; returns once there is room for more. */
  write(piece: Piece): Promise<void>;
  /** @returns bytes written */
  finish(): Promise<number>;
  /** Removes what was written so far. Without effect once finished. */
  abort(): Promise<void>;
}

const COMPRESSION: readonly (readonly [extension: string, make: () => Transform])[] = [
  ['.gz', () => createGzip()],
  ['.zst', () => createZstdCompress()],
];

/** Formats by the extension that stands for them, before that of a compression. */
const BY_EXTENSION: readonly (readonly [RegExp, FormatName])[] = [
  [/\.(jsonl|jsons|ndjson|json)$/, 'jsonl'],
  [/\.parquet$/, 'parquet'],
];

/**
 * The format that a file's name asks for; CSV where it says nothing.
 *
 * @param asked by an option
 * @throws InputError where name and option contradict each other
 */
export function formatFor(path: string, asked: FormatName | undefined): FormatName {
  const name = withoutCompression(path);
  const told = BY_EXTENSION.find(([pattern]) => pattern.test(name))?.[1];
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
  const found = COMPRESSION.find(([extension]) => path.endsWith(extension));
  return found === undefined ? path : path.slice(0, -found[0].length);
}

/**
 * Opens a dump, compressed as the extension says. A file is written beside its place and moved there in the end.
 *
 * @param path of a file, or `-` for standard output
 * @throws InputError where nothing can be written there
 */
export async function openDump(path: string): Promise<DumpFile> {
  return path === '-' ? toStandardOutput() : toFile(path);
}

async function toFile(path: string): Promise<DumpFile> {
  const refuse = (reason: string): never => {
    throw new InputError(`${path}: ${reason}; accepted: a file in a folder that can be written to, or -`);
  };
  const openFor = (file: string, flags: string): Promise<FileHandle> =>
    open(file, flags).catch((error: NodeJS.ErrnoException) => refuse(`could not be written (${error.code})`));
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) refuse('is a folder');
  // A pipe or a device cannot be replaced by a file.
  if (found?.isFile() === false) {
    return through(compressionOf(path), (await openFor(path, 'w')).createWriteStream());
  }
  const part = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  const sink = through(compressionOf(path), (await openFor(part, 'wx')).createWriteStream({ flush: true }));
  let isOver = false;
  return {
    write: (piece) => sink.write(piece),
    async finish() {
      const bytes = await sink.finish();
      await rename(part, path);
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

function compressionOf(path: string): Transform {
  const make = COMPRESSION.find(([extension]) => path.endsWith(extension))?.[1];
  return make?.() ?? new PassThrough();
}

function toStandardOutput(): DumpFile {
  return through(new PassThrough(), process.stdout);
}

/** A way through a compression into a stream; what fails there, the next call tells. */
function through(head: Transform, sink: Writable): DumpFile {
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  // Standard output cannot be ended.
  const piped = pipeline(head, counter, sink, { end: sink !== process.stdout });
  piped.catch(() => undefined);
  const tell = (error: unknown): never => {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE')
      throw new ReaderGoneError('nobody reads the output any more', { cause: error });
    throw new OutputError(`the output could not be written: ${firstLine(error)}`, { cause: error });
  };
  return {
    async write(piece) {
      if (head.destroyed) await piped.catch(tell);
      if (head.write(piece)) return;
      await Promise.race([once(head, 'drain'), piped]).catch(tell);
    },
    async finish() {
      head.end();
      await piped.catch(tell);
      // What cannot be ended may still hold what its reader was too slow for, and the process ends soon.
      if (sink === process.stdout) await flushed(sink).catch(tell);
      return bytes;
    },
    async abort() {
      head.destroy();
      await piped.catch(() => undefined);
    },
  };
}

function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write('', (error) => (error ? reject(error) : resolve()));
  });
}
