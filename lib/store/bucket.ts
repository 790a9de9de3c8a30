import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { StoreError, firstLine } from '../errors.ts';

export interface Bucket {
  readonly client: S3Client;
  readonly name: string;
}

/** The ETag that a write must find, or `absent` where there must be no object yet. */
export type Expected = { etag: string } | 'absent';

export interface Stored {
  readonly text: string;
  readonly etag: string;
}

/** An object's text and ETag; undefined where there is none. */
export async function readText(
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
): Promise<Stored | undefined> {
  try {
    const command = new GetObjectCommand({ Bucket: bucket.name, Key: key });
    const found = await bucket.client.send(command, { abortSignal: signal });
    return { text: (await found.Body?.transformToString('utf8')) ?? '', etag: found.ETag ?? '' };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storeError('read', bucket, key, error);
  }
}

/** An object's ETag as a write's condition. */
export async function expectedNow(bucket: Bucket, key: string, signal: AbortSignal): Promise<Expected> {
  try {
    const command = new HeadObjectCommand({ Bucket: bucket.name, Key: key });
    const found = await bucket.client.send(command, { abortSignal: signal });
    return { etag: found.ETag ?? '' };
  } catch (error) {
    if (isMissing(error)) return 'absent';
    throw storeError('look at', bucket, key, error);
  }
}

/**
 * Writes an object if it still is what was expected (compare-and-swap).
 *
 * @returns the new ETag, or undefined where another writer was first
 */
export async function writeText(
  bucket: Bucket,
  key: string,
  text: string,
  expected: Expected,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const command = new PutObjectCommand({
      Bucket: bucket.name,
      Key: key,
      Body: text,
      ContentType: 'application/json',
      ...conditionOf(expected),
    });
    const written = await bucket.client.send(command, { abortSignal: signal });
    return written.ETag ?? '';
  } catch (error) {
    if (!isLostRace(error)) throw storeError('write', bucket, key, error);
  }
  // The client repeats a request whose answer was lost, and is then refused by its own first write.
  const found = await readText(bucket, key, signal);
  return found?.text === text ? found.etag : undefined;
}

export async function remove(bucket: Bucket, key: string, signal: AbortSignal): Promise<void> {
  try {
    await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: key }), {
      abortSignal: signal,
    });
  } catch (error) {
    throw storeError('delete', bucket, key, error);
  }
}

export function conditionOf(expected: Expected): { IfNoneMatch: '*' } | { IfMatch: string } {
  return expected === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: expected.etag };
}

/** S3 refused a conditional write: the object changed, appeared, vanished, or is being written right now. */
export function isLostRace(error: unknown): boolean {
  return ['PreconditionFailed', 'ConditionalRequestConflict', 'NoSuchKey'].includes(nameOf(error));
}

export function storeError(verb: string, bucket: Bucket, key: string, error: unknown): Error {
  // An abort is the invocation's own doing, and its reason says more.
  if (nameOf(error) === 'AbortError') return error as Error;
  const reason = `${nameOf(error)}: ${firstLine(error)}`;
  return new StoreError(`could not ${verb} s3://${bucket.name}/${key}: ${reason}`, { cause: error });
}

function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes(nameOf(error));
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}
