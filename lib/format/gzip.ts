import type { Transform } from 'node:stream';
import { createGzip } from 'node:zlib';
import { QUEUED_BYTES } from './queued-bytes.ts';

/**
 * Compression was half of all CPU at the usual level, 6. Of a million events in CSV, masks and all:
 *
 * | level | strategy | CPU s | bytes an event |
 * |-------|----------|-------|----------------|
 * | 1     |          |  1.35 |           66.5 |
 * | 3     |          |  1.45 |           64.8 |
 * | 4     | filtered |  2.05 |           57.7 |
 * | 6     |          |  2.45 |           59.0 |
 * | 6     | filtered |  2.45 |           56.0 |
 *
 * Masks are random digits, which no level shortens, so that level 3 makes files a tenth larger than 6 and not more: of
 * a million events a day, 2 GB a year. Where a larger bill for storage counts more than time, the last line is the one.
 */
const LEVEL = { level: 3, memLevel: 9, chunkSize: 64 * 1024 };

/** No Content-Encoding, for then clients would unpack the file and its hash would not be the manifest's. */
export const GZIP = {
  contentType: 'application/gzip',
  compression: 'gzip',
  compressor: (): Transform => createGzip({ ...LEVEL, readableHighWaterMark: QUEUED_BYTES } as object),
} as const;
