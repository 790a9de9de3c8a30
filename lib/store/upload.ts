import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Upload } from '@aws-sdk/lib-storage';
import { type Bucket, type Expected, conditionOf, isLostRace, storeError } from './bucket.ts';

/** An object that is being written. It becomes visible, whole, when `finish` returns, or never. */
export interface OpenObject {
  /** Takes the next piece; returns once there is room for more, so that memory stays flat. */
  write(piece: string | Uint8Array): Promise<void>;
  /** @returns undefined where the object was not what was expected, and is left as it is */
  finish(): Promise<ObjectSummary | undefined>;
  /** Drops what was written so far, parts already uploaded included. */
  abort(): Promise<void>;
}

export interface ObjectSummary {
  readonly bytes: number;
  readonly sha256: string;
}

/** S3's least size of a part. Two are in flight and one is filling, for each file. */
const PART_BYTES = 5 * 1024 * 1024;
const PARTS_IN_FLIGHT = 2;
/** Long enough to free parts, short enough for the end of an invocation. */
const ABORT_PATIENCE_MS = 5000;

/**
 * Uploads a file while it is made: compressed, hashed, in parts, each checksummed by the SDK (CRC32). A file of
 * less than one part goes as a single PUT when it is finished.
 */
export function openObject(
  bucket: Bucket,
  target: { key: string; contentType: string; expected: Expected },
  compressor: Transform,
): OpenObject {
  const meter = createMeter();
  const piped = pipeline(compressor, meter.stream);
  const uploaded = new Upload({
    client: bucket.client,
    params: {
      Bucket: bucket.name,
      Key: target.key,
      Body: meter.stream,
      ContentType: target.contentType,
      ...conditionOf(target.expected),
    },
    partSize: PART_BYTES,
    queueSize: PARTS_IN_FLIGHT,
  }).done();
  // Either may fail while nobody waits for it; the next write, or finish, reports it.
  piped.catch(() => undefined);
  uploaded.catch(() => undefined);
  const toStoreError = (error: unknown): Error => storeError('upload', bucket, target.key, error);

  return {
    async write(piece) {
      if (compressor.write(piece)) return;
      try {
        await Promise.race([once(compressor, 'drain'), uploaded]);
      } catch (error) {
        throw toStoreError(error);
      }
    },
    async finish() {
      compressor.end();
      try {
        await Promise.all([piped, uploaded]);
        return meter.summary();
      } catch (error) {
        if (isLostRace(error)) return undefined;
        throw toStoreError(error);
      }
    },
    async abort() {
      compressor.destroy();
      meter.stream.destroy(new Error('abandoned'));
      const patience = AbortSignal.timeout(ABORT_PATIENCE_MS);
      await Promise.race([uploaded.catch(() => undefined), once(patience, 'abort')]);
    },
  };
}

function createMeter(): { stream: Transform; summary(): ObjectSummary } {
  const sha256 = createHash('sha256');
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      sha256.update(chunk);
      done(null, chunk);
    },
  });
  return { stream, summary: () => ({ bytes, sha256: sha256.digest('hex') }) };
}
