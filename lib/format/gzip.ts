import type { Transform } from 'node:stream';
import { createGzip } from 'node:zlib';

/**
 * What may wait for the upload. At 60 bytes an event a busy pipeline makes 7 MB a second, and a part takes about a
 * tenth of a second to S3, so this keeps it going meanwhile.
 */
const QUEUED_BYTES = 1024 * 1024;

export function createCompressor(): Transform {
  return createGzip({ readableHighWaterMark: QUEUED_BYTES } as object);
}
