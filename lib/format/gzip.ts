import type { Transform } from 'node:stream';
import { createGzip } from 'node:zlib';

/**
 * What may wait for the upload. At 60 bytes an event a busy pipeline makes 7 MB a second, and a part takes about a
 * tenth of a second to S3, so this keeps it going meanwhile.
 */
export const QUEUED_BYTES = 1024 * 1024;

/** No Content-Encoding, for then clients would unpack the file and its hash would not be the manifest's. */
export const GZIP = {
  contentType: 'application/gzip',
  compressor: (): Transform => createGzip({ readableHighWaterMark: QUEUED_BYTES } as object),
} as const;
