import { createHash } from 'node:crypto';
import type { Transform } from 'node:stream';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { ObjectSummary, OpenObject, Target } from '../store.ts';
import { openStreamed } from '../streamed.ts';
import { type Bucket, conditionOf, isLostUpload, storeError } from './bucket.ts';
import { type Multipart, PART_BYTES, beginMultipart } from './multipart.ts';

/**
 * Uploads a file while it is made: compressed, hashed, in parts that the SDK checksums (CRC32). A file of less
 * than one part goes as a single PUT when it is finished.
 */
export function openObject(
  bucket: Bucket,
  target: Target,
  compressor: Transform,
  signal: AbortSignal,
): OpenObject {
  const sending = {
    send: () => send(bucket, target, compressor, signal),
    isLost: isLostUpload,
    toError: (error: unknown) => storeError('upload', bucket, target.key, error),
  };
  return openStreamed(compressor, sending, signal);
}

/**
 * Takes the compressor's output to S3 through one buffer of a part's size. While a part is on its way, what the
 * compressor goes on to make waits in its own queue (`format/queued-bytes.ts`).
 */
async function send(
  bucket: Bucket,
  target: Target,
  compressor: Transform,
  signal: AbortSignal,
): Promise<ObjectSummary> {
  const sha256 = createHash('sha256');
  let bytes = 0;
  let filled = 0;
  const part = Buffer.allocUnsafeSlow(PART_BYTES);
  let multipart: Multipart | undefined;
  try {
    for await (const chunk of compressor as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      sha256.update(chunk);
      for (let taken = 0; taken < chunk.length;) {
        if (filled === PART_BYTES) {
          multipart ??= await beginMultipart(bucket, target, signal);
          await multipart.sendPart(part);
          filled = 0;
        }
        const copied = chunk.copy(part, filled, taken);
        taken += copied;
        filled += copied;
      }
    }
    const rest = part.subarray(0, filled);
    await (multipart === undefined ? putWhole(bucket, target, rest, signal) : multipart.complete(rest));
    return { bytes, sha256: sha256.digest('hex') };
  } catch (error) {
    await multipart?.abort();
    throw error;
  }
}

async function putWhole(bucket: Bucket, target: Target, body: Buffer, signal: AbortSignal): Promise<void> {
  const command = new PutObjectCommand({
    Bucket: bucket.name,
    Key: target.key,
    Body: body,
    ContentType: target.contentType,
    ...conditionOf(target.expected),
  });
  await bucket.client.send(command, { abortSignal: signal });
}
