import { StarError } from '../../core/errors.ts';
import type { Expected } from '../store.ts';
import { type Bucket, isLostUpload, remove, storeError, writeText } from './bucket.ts';
import { beginMultipart } from './multipart.ts';

/**
 * Tries the conditional writes that publication leans on, at a key that nobody else uses. What it writes it removes.
 *
 * @returns what the store does not do, as it is called in S3; nothing where all is well
 * @throws StoreError where the store refuses to be asked
 */
export async function probeConditions(
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const lacking: string[] = [];
  try {
    const put = (text: string, expected: Expected): Promise<string | undefined> =>
      writeText(bucket, key, text, expected, signal);
    const first = await knowing(() => put('first', 'absent'));
    if (first === undefined) return ['If-None-Match on PutObject'];
    if ((await put('again', 'absent')) !== undefined) lacking.push('If-None-Match on PutObject');

    const now = (await knowing(() => put('swapped', { version: first }))) ?? first;
    const isSwapped = now !== first;
    const isStaleRefused = isSwapped && (await put('stale', { version: first })) === undefined;
    if (!isStaleRefused && lacking.length === 0) lacking.push('If-Match on PutObject');

    for (const [header, expected] of [
      ['If-None-Match', 'absent'],
      ['If-Match', { version: first }],
    ] as const)
      if (await completes(bucket, key, expected, signal))
        lacking.push(`${header} on CompleteMultipartUpload`);
  } finally {
    await remove(bucket, key, signal);
  }
  return lacking;
}

/** Whether an upload in parts is completed although the object is not what is expected. */
async function completes(
  bucket: Bucket,
  key: string,
  expected: Expected,
  signal: AbortSignal,
): Promise<boolean> {
  const target = { key, contentType: 'text/plain', expected };
  try {
    const upload = await beginMultipart(bucket, target, signal);
    try {
      await upload.complete(Buffer.from('in parts'));
      return true;
    } catch (error) {
      await upload.abort();
      throw error;
    }
  } catch (error) {
    if (isLostUpload(error)) return false;
    if (isUnknown(error)) return true;
    throw storeError('probe', bucket, key, error);
  }
}

/** Undefined where the store says that it does not know such a request. */
async function knowing<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof StarError && isUnknown(error.cause)) return undefined;
    throw error;
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof Error && error.name === 'NotImplemented';
}
