import type { Store } from '../store.ts';
import {
  type Bucket,
  expectedNow,
  listObjects,
  readPieces,
  readText,
  remove,
  storeClock,
  writeText,
} from './bucket.ts';
import { probeConditions } from './probe.ts';
import { openObject } from './upload.ts';

/** A bucket of S3, or of whatever speaks its protocol with conditional writes. */
export function s3Store(bucket: Bucket): Store {
  return {
    name: `s3://${bucket.name}`,
    readText: (key, signal) => readText(bucket, key, signal),
    read: (key, signal) => readPieces(bucket, key, signal),
    expectedNow: (key, signal) => expectedNow(bucket, key, signal),
    list: (prefix, after, signal) => listObjects(bucket, prefix, after, signal),
    writeText: (key, text, expected, signal, contentType) =>
      writeText(bucket, key, text, expected, signal, contentType),
    open: (target, compressor, signal) => openObject(bucket, target, compressor, signal),
    remove: (key, signal) => remove(bucket, key, signal),
    probe: (key, signal) => probeConditions(bucket, key, signal),
    clock: (key, signal) => storeClock(bucket, key, signal),
  };
}
