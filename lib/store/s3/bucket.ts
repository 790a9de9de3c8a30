import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { StoreError, firstLine } from '../../core/errors.ts';
import { pause } from '../../core/pause.ts';
import type { Seconds } from '../../core/time.ts';
import { type Expected, type Listed, type Stored, parseJson } from '../store.ts';

export interface Bucket {
  readonly client: S3Client;
  readonly name: string;
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
    const text = (await found.Body?.transformToString('utf8')) ?? '';
    return { text, json: () => parseJson(text), version: found.ETag ?? '' };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storeError('read', bucket, key, error);
  }
}

/** An object's bytes as they come; undefined where there is none. */
export async function readPieces(
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  try {
    const command = new GetObjectCommand({ Bucket: bucket.name, Key: key });
    const { Body } = await bucket.client.send(command, { abortSignal: signal });
    return tellingErrors(bucket, key, (Body ?? []) as unknown as AsyncIterable<Uint8Array>);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storeError('read', bucket, key, error);
  }
}

async function* tellingErrors(
  bucket: Bucket,
  key: string,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* body;
  } catch (error) {
    throw storeError('read', bucket, key, error);
  }
}

/** An object's ETag as a write's condition. */
export async function expectedNow(bucket: Bucket, key: string, signal: AbortSignal): Promise<Expected> {
  const found = await lookAt(bucket, key, signal);
  return found === undefined ? 'absent' : { version: found.ETag ?? '' };
}

async function lookAt(
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
): Promise<HeadObjectCommandOutput | undefined> {
  try {
    const command = new HeadObjectCommand({ Bucket: bucket.name, Key: key });
    return await bucket.client.send(command, { abortSignal: signal });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storeError('look at', bucket, key, error);
  }
}

/** Removes an object, if it is there. Without a condition: a conditional DELETE is not atomic on every store. */
export async function remove(bucket: Bucket, key: string, signal: AbortSignal): Promise<void> {
  const command = new DeleteObjectCommand({ Bucket: bucket.name, Key: key });
  try {
    await despiteConflicts(() => bucket.client.send(command, { abortSignal: signal }), signal);
  } catch (error) {
    if (!isMissing(error)) throw storeError('remove', bucket, key, error);
  }
}

/** What time it is at the store, by the `Date` of an answer about a key, whether it is there or not; null if untold. */
export async function storeClock(bucket: Bucket, key: string, signal: AbortSignal): Promise<number | null> {
  const command = new HeadObjectCommand({ Bucket: bucket.name, Key: key });
  let date: string | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      date = (result.response as { headers?: Record<string, string> }).headers?.['date'];
      return result;
    },
    // Last but for the sending itself: a refusal becomes an exception further out.
    { step: 'deserialize', priority: 'low' },
  );
  try {
    await bucket.client.send(command, { abortSignal: signal });
  } catch (error) {
    if (!isMissing(error)) throw storeError('look at', bucket, key, error);
  }
  const time = Date.parse(date ?? '') / 1000;
  return Number.isNaN(time) ? null : time;
}

/** The objects whose keys begin with `prefix`, from the first one after `after` on, in order of their keys. */
export async function* listObjects(
  bucket: Bucket,
  prefix: string,
  after: string,
  signal: AbortSignal,
): AsyncGenerator<Listed, void, void> {
  for (let token: string | undefined; ;) {
    const command = new ListObjectsV2Command({
      Bucket: bucket.name,
      Prefix: prefix,
      StartAfter: after,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    });
    const page = await bucket.client.send(command, { abortSignal: signal }).catch((error: unknown) => {
      throw storeError('list', bucket, prefix, error);
    });
    for (const { Key, ETag, Size, LastModified } of page.Contents ?? []) {
      if (Key === undefined) continue;
      const modified: Seconds = Math.floor((LastModified?.getTime() ?? 0) / 1000);
      yield { key: Key, bytes: Size ?? 0, tag: ETag ?? '', modified };
    }
    token = page.NextContinuationToken;
    if (token === undefined) return;
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
  contentType = 'application/json',
): Promise<string | undefined> {
  const command = new PutObjectCommand({
    Bucket: bucket.name,
    Key: key,
    Body: text,
    ContentType: contentType,
    ...conditionOf(expected),
  });
  try {
    const written = await despiteConflicts(
      () => bucket.client.send(command, { abortSignal: signal }),
      signal,
    );
    return written.ETag ?? '';
  } catch (error) {
    if (!isLostRace(error)) throw storeError('write', bucket, key, error);
  }
  // The client repeats a request whose answer was lost, and is then refused by its own first write.
  const found = await readText(bucket, key, signal);
  return found?.text === text ? found.version : undefined;
}

export function conditionOf(expected: Expected): { IfNoneMatch: '*' } | { IfMatch: string } {
  return expected === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: expected.version };
}

/**
 * What a store calls its 409 where another write of the key is under way, or was quicker: S3 (the first two), Ceph.
 * It does not say who wins.
 */
const CONFLICTS = ['ConditionalRequestConflict', 'OperationAborted', 'ConcurrentModification'];

function isConflict(error: unknown): boolean {
  return CONFLICTS.includes(nameOf(error));
}

const CONFLICT_ATTEMPTS = 8;

/** Sends a request again for as long as another write of the key is in its way: the next answer tells who won. */
async function despiteConflicts<T>(send: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      if (!isConflict(error) || attempt === CONFLICT_ATTEMPTS) throw error;
      await pause(attempt * 50 * (1 + Math.random()), signal);
    }
  }
}

/** S3 refused a conditional write because the object is not what was expected: changed, there, or gone. */
function isLostRace(error: unknown): boolean {
  return ['PreconditionFailed', 'NoSuchKey'].includes(nameOf(error));
}

/**
 * The same for an object of several requests, where a conflict is final (S3 wants the upload to begin again) and an
 * answer that was lost shows as an upload that is no more.
 */
export function isLostUpload(error: unknown): boolean {
  return isLostRace(error) || isConflict(error) || nameOf(error) === 'NoSuchUpload';
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
