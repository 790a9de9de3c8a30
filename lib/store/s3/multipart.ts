import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Target } from '../store.ts';
import { type Bucket, conditionOf } from './bucket.ts';

/** S3's least size of a part but the last. Ten thousand of them are 50 GB. */
export const PART_BYTES = 5 * 1024 * 1024;

/** For what must not be cut short by the invocation's end, and must not outlast it by much. */
const PATIENCE_MS = 10_000;

export interface Multipart {
  /** Returns once the part has arrived and its buffer is free. */
  sendPart(part: Buffer): Promise<void>;
  /** Sends the last part and makes the object visible, on the target's condition. */
  complete(lastPart: Buffer): Promise<void>;
  /** Frees the parts. Never fails: the bucket's lifecycle rule frees them too, a day later. */
  abort(): Promise<void>;
}

/**
 * A multipart upload, part by part. The SDK's own `Upload` joins the pieces of each part once more and
 * leaves the joined copies to the garbage collector, which costs 20 MB for each file at a million events.
 */
export async function beginMultipart(
  bucket: Bucket,
  target: Target,
  signal: AbortSignal,
): Promise<Multipart> {
  const { client } = bucket;
  const object = { Bucket: bucket.name, Key: target.key };
  const abortSignal = { abortSignal: signal };
  const create = { ...object, ContentType: target.contentType, ChecksumAlgorithm: 'CRC32' as const };
  // Not under the deadline's signal: an upload that began without our learning its id could not be aborted.
  const patient = patience();
  const { UploadId } = await client
    .send(new CreateMultipartUploadCommand(create), patient)
    .catch((cause: unknown) => {
      const isLate = patient.abortSignal.aborted && !signal.aborted;
      throw isLate ? new TimeoutError(`no answer within ${PATIENCE_MS / 1000} s`, { cause }) : cause;
    });
  const parts: CompletedPart[] = [];

  const sendPart = async (part: Buffer): Promise<void> => {
    const PartNumber = parts.length + 1;
    const command = new UploadPartCommand({
      ...object,
      UploadId,
      PartNumber,
      Body: part,
      ChecksumAlgorithm: 'CRC32',
    });
    const { ETag, ChecksumCRC32 } = await client.send(command, abortSignal);
    parts.push({ PartNumber, ETag, ChecksumCRC32 });
  };
  return {
    sendPart,
    async complete(lastPart) {
      await sendPart(lastPart);
      const completed = { ...object, UploadId, MultipartUpload: { Parts: parts } };
      await client.send(
        new CompleteMultipartUploadCommand({ ...completed, ...conditionOf(target.expected) }),
        abortSignal,
      );
    },
    async abort() {
      await client
        .send(new AbortMultipartUploadCommand({ ...object, UploadId }), patience())
        .catch(() => undefined);
    },
  };
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

function patience(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(PATIENCE_MS) };
}
