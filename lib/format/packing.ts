import { PassThrough, type Transform } from 'node:stream';
import { createGzip, createZstdCompress, constants as zlib } from 'node:zlib';
import type { Compression, FormatName } from '../config/choices.ts';
import { QUEUED_BYTES } from './queued-bytes.ts';

/** How a file is compressed as a whole. */
export interface Packing {
  /** As manifests name it. */
  readonly compression: Compression | 'none';
  /** What the file's name ends with. */
  readonly extension: string;
  readonly contentType: string;
  compressor(): Transform;
}

type Compressor = Pick<Packing, 'contentType' | 'compressor'> & { readonly extension: string };

/*
 * CPU of compression alone and size, of 300,000 events with their masks, written in pieces:
 *
 * |                    | CSV: CPU s | bytes an event |
 * |--------------------|------------|----------------|
 * | gzip level 3       |       0.75 |           66.7 |
 * | Zstandard level 1  |       0.24 |           31.9 |
 * | Zstandard level 2  |       0.29 |           25.7 |
 * | Zstandard level 3  |       0.29 |           24.5 |
 * | Zstandard level 5  |       0.45 |           23.2 |
 *
 * A mask is repeated long after it occurred first: beyond deflate's window of 32 KiB, within Zstandard's of 2 MiB. A
 * larger window or long-distance matching saves at most 1 byte an event and takes up to three times the CPU. Level 6 of
 * gzip takes 1.7 times the CPU of level 3 and makes files a tenth smaller.
 */
const GZIP_LEVEL = { level: 3, memLevel: 9, chunkSize: 64 * 1024 };
const ZSTD_LEVEL = { params: { [zlib.ZSTD_c_compressionLevel]: 3 }, chunkSize: 64 * 1024 };

/** By name. No Content-Encoding: clients would unpack the file, and its hash would not be the manifest's. */
export const COMPRESSORS: Readonly<Record<Compression, Compressor>> = {
  gzip: {
    extension: '.gz',
    contentType: 'application/gzip',
    compressor: () => createGzip({ ...GZIP_LEVEL, readableHighWaterMark: QUEUED_BYTES } as object),
  },
  zstd: {
    extension: '.zst',
    contentType: 'application/zstd',
    compressor: () => createZstdCompress({ ...ZSTD_LEVEL, readableHighWaterMark: QUEUED_BYTES } as object),
  },
};

/** @param compression of the formats that do not compress their parts themselves, as Parquet does */
export function packingOf(format: FormatName, compression: Compression): Packing {
  if (format === 'parquet') return PARQUET;
  const { extension, ...found } = COMPRESSORS[compression];
  return { ...found, compression, extension: `${format}${extension}` };
}

const PARQUET: Packing = {
  compression: 'none',
  extension: 'parquet',
  contentType: 'application/vnd.apache.parquet',
  compressor: () => new PassThrough({ readableHighWaterMark: QUEUED_BYTES }),
};
