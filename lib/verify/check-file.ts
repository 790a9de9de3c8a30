import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { firstLine } from '../core/errors.ts';
import type { ManifestFile } from '../drop/manifest-file.ts';
import type { Place } from '../drop/place.ts';
import { type RowCounter, rowCounter } from './count-rows.ts';

const UNPACKERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(),
  zstd: () => createZstdDecompress(),
  none: () => new PassThrough(),
};

/**
 * Holds a file against what its manifest says of it.
 *
 * @param file of a page only key, bytes and hash
 * @returns what is wrong with it, in a line without its key; undefined where all is well
 */
export async function checkFile(
  { store, signal }: Place,
  file: Pick<ManifestFile, 'key' | 'bytes' | 'sha256'> & Partial<ManifestFile>,
): Promise<string | undefined> {
  const pieces = await store.read(file.key, signal);
  if (pieces === undefined) return 'is missing';
  const content = file.format === undefined ? undefined : openContent(file);
  const sha256 = createHash('sha256');
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    sha256.update(piece);
    await content?.add(piece);
  }
  const unlike = await content?.finish();
  if (bytes !== file.bytes) return `has ${bytes} bytes; the manifest says ${file.bytes}`;
  if (sha256.digest('hex') !== file.sha256) return 'has not the SHA-256 that the manifest says';
  return unlike;
}

interface Content {
  add(piece: Uint8Array): Promise<void>;
  /** @returns what is wrong */
  finish(): Promise<string | undefined>;
}

function openContent(file: Partial<ManifestFile>): Content {
  const { format = '', compression = '', rows, columns = [] } = file;
  const counter = rowCounter(format);
  const unpacker = UNPACKERS[compression]?.();
  if (counter === undefined || unpacker === undefined) {
    const problem = `is in a format that this version does not know: ${format}, ${compression}`;
    return { add: () => Promise.resolve(), finish: () => Promise.resolve(problem) };
  }
  let problem: string | undefined;
  const counting = countAll(unpacker, counter).catch((error: unknown) => {
    problem = `cannot be unpacked: ${firstLine(error)}`;
  });
  return {
    async add(piece) {
      if (problem === undefined && !unpacker.write(piece))
        await Promise.race([once(unpacker, 'drain').catch(() => undefined), counting]);
    },
    async finish() {
      unpacker.end();
      await counting;
      if (problem !== undefined) return problem;
      try {
        const found = counter.finish();
        if (found.rows !== rows) return `has ${found.rows} rows; the manifest says ${rows}`;
        // A file of JSON lines without rows has no names in it.
        const isNamed = format !== 'jsonl' || found.rows > 0;
        return isNamed && found.columns.join() !== columns.join()
          ? `has the columns ${found.columns.join()}; the manifest says ${columns.join()}`
          : undefined;
      } catch (error) {
        return `is no ${format}: ${firstLine(error)}`;
      }
    },
  };
}

async function countAll(from: Transform, counter: RowCounter): Promise<void> {
  for await (const piece of from) counter.add(piece as Buffer);
}
