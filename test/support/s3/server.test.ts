import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Fault } from '../aws/faults.ts';
import { until } from '../until.ts';
import { startS3 } from './server.ts';
import type { LocalS3, LocalS3Options, RequestRecord } from './server.ts';

/*
 * What this server has beyond S3, or decides where S3 leaves it open. What it has in common with S3 is in
 * test/contract.
 */

const Bucket = 'traces';
let folder: string;
let server: LocalS3;
let client: S3Client;
let fault: ((request: RequestRecord) => void | Fault | Promise<void | Fault>) | undefined;

beforeEach(async () => {
  fault = undefined;
  folder = await mkdtemp(join(tmpdir(), 'local-s3-'));
  await start();
});
afterEach(async () => {
  client.destroy();
  await server.stop();
  await rm(folder, { recursive: true });
});

async function start(options: Partial<LocalS3Options> = {}): Promise<void> {
  server = await startS3({ folder, buckets: [Bucket], onRequest: (request) => fault?.(request), ...options });
  client = connect();
}

function connect(maxAttempts = 3): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  return new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, maxAttempts });
}

async function restart(): Promise<void> {
  client.destroy();
  await server.stop();
  await start();
}

function put(Key: string, Body: string, more: Partial<PutObjectCommandInput> = {}, from = client) {
  return from.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
}

async function read(Key: string): Promise<string | undefined> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  return Body?.transformToString();
}

function head(Key: string) {
  return client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
}

async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    return `${error.$metadata.httpStatusCode} ${error.name}`;
  }
  return 'no failure';
}

/** Everything that is neither an object nor its description: what an unfinished request may leave. */
async function leftovers(): Promise<string[]> {
  const folders = ['temp', 'uploads'].map((name) => readdir(join(folder, '.s3', name), { recursive: true }));
  return (await Promise.all(folders)).flat();
}

/** A write of `key` that waits in the middle of its body: `finish` sends the rest. */
function unhurriedPut(key: string, more: Partial<PutObjectCommandInput> = {}) {
  let finish: () => void = () => undefined;
  const rest = new Promise<void>((resolve) => {
    finish = resolve;
  });
  async function* body() {
    yield Buffer.alloc(10_000, 'a');
    await rest;
    yield Buffer.alloc(10_000, 'b');
  }
  const stream = Readable.from(body());
  const command = new PutObjectCommand({ Bucket, Key: key, Body: stream, ContentLength: 20_000, ...more });
  const outcome = failure(client.send(command));
  return { finish, outcome };
}

async function uploadOfOnePart(Key: string) {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const input = { Bucket, Key, UploadId, PartNumber: 1, Body: 'the part' };
  const { ETag } = await client.send(new UploadPartCommand(input));
  return { Bucket, Key, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
}

test('objects are files that can be opened, and nothing else lies between them', async () => {
  await put('cloud=a/date=2026-11-22/events.csv', 'rows');
  await put('cloud=a/date=2026-11-23/events.csv', 'more rows');
  expect(await readFile(join(folder, Bucket, 'cloud=a/date=2026-11-22/events.csv'), 'utf8')).toBe('rows');
  const Key = 'cloud=a/date=2026-11-22/events.csv';
  await client.send(new DeleteObjectCommand({ Bucket, Key }));
  expect(await readdir(join(folder, Bucket, 'cloud=a'))).toEqual(['date=2026-11-23']);
  expect(await readdir(folder)).toEqual(['.s3', Bucket]);
});

test('a later server on the folder has the objects, with all that is known of them', async () => {
  await put('a/../b//c %', 'content', { ContentType: 'text/csv', Metadata: { rows: '1' } });
  const complete = await uploadOfOnePart('joined');
  await client.send(new CompleteMultipartUploadCommand(complete));
  const unstamped = async (key: string) => ({ ...(await head(key)), $metadata: undefined });
  const before = [await unstamped('a/../b//c %'), await unstamped('joined')];
  await restart();
  expect([await unstamped('a/../b//c %'), await unstamped('joined')]).toEqual(before);
  expect(await read('a/../b//c %')).toBe('content');
});

test('a later server on the folder has the uploads under way', async () => {
  const complete = await uploadOfOnePart('joined');
  await restart();
  await client.send(new CompleteMultipartUploadCommand(complete));
  expect(await read('joined')).toBe('the part');
});

test('a file changed or added by hand is the object, under an ETag of its own', async () => {
  await put('changed', 'before');
  await server.stop();
  await writeFile(join(folder, Bucket, 'changed'), 'afterwards');
  await writeFile(join(folder, Bucket, 'added'), 'by hand');
  await start();
  expect(await read('added')).toBe('by hand');
  const { ETag, ContentLength } = await head('changed');
  const md5 = createHash('md5').update('afterwards').digest('hex');
  expect({ ETag, ContentLength }).toEqual({ ETag: `"${md5}"`, ContentLength: 10 });
});

test('a client that is killed in the middle of a write leaves nothing', async () => {
  const script = `
    import { Readable } from 'node:stream';
    import { S3Client, PutObjectCommand } from '@aws-sdk/client-s3';
    async function* body() {
      yield Buffer.alloc(100_000);
      await new Promise((resolve) => setTimeout(resolve, 3_600_000));
    }
    const Body = Readable.from(body());
    const input = { Bucket: '${Bucket}', Key: 'cut', Body, ContentLength: 200_000, IfNoneMatch: '*' };
    await new S3Client({ endpoint: '${server.endpoint}' }).send(new PutObjectCommand(input));`;
  const env = {
    ...process.env,
    AWS_REGION: server.region,
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    AWS_SESSION_TOKEN: '',
  };
  const writer = execFile(process.execPath, ['--input-type=module', '-e', script], { env });
  await until(async () => (await leftovers()).length > 0);
  writer.kill('SIGKILL');
  await until(async () => (await leftovers()).length === 0);
  expect(await failure(head('cut'))).toBe('404 NotFound');
  expect(await readdir(join(folder, Bucket))).toEqual([]);
  await put('cut', 'by another', { IfNoneMatch: '*' });
});

test('a conditional write is told of another that is under way', async () => {
  const first = unhurriedPut('key', { IfNoneMatch: '*' });
  await until(async () => (await leftovers()).length > 0);
  expect(await failure(put('key', 'second', { IfNoneMatch: '*' }))).toBe('409 ConditionalRequestConflict');
  first.finish();
  expect(await first.outcome).toBe('no failure');
  expect((await head('key')).ContentLength).toBe(20_000);
});

test('a conditional write gives way to one without a condition', async () => {
  const first = unhurriedPut('key', { IfNoneMatch: '*' });
  await until(async () => (await leftovers()).length > 0);
  await put('key', 'second');
  first.finish();
  expect(await first.outcome).toBe('412 PreconditionFailed');
  expect(await read('key')).toBe('second');
});

test('a conditional write is told when the object is deleted meanwhile', async () => {
  const { ETag } = await put('key', 'before');
  const write = unhurriedPut('key', { IfMatch: ETag });
  await until(async () => (await leftovers()).length > 0);
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'key' }));
  write.finish();
  expect(await write.outcome).toBe('409 ConditionalRequestConflict');
  expect(await failure(head('key'))).toBe('404 NotFound');
});

test('an upload whose completion met a conflict has to be begun again', async () => {
  const complete = await uploadOfOnePart('key');
  const other = unhurriedPut('key', { IfNoneMatch: '*' });
  await until(async () => (await leftovers()).some((file) => /^[0-9a-f-]{36}$/.test(file)));
  const conditional = new CompleteMultipartUploadCommand({ ...complete, IfNoneMatch: '*' });
  expect(await failure(client.send(conditional))).toBe('409 ConditionalRequestConflict');
  other.finish();
  await other.outcome;
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'key' }));
  expect(await failure(client.send(conditional))).toBe('409 ConditionalRequestConflict');
});

/** Asks a server with the manners of Ceph, time and again, how it answers the loser of two writes at once. */
async function losersAnswers(race: (key: string) => Promise<string[]>): Promise<Set<string>> {
  client.destroy();
  await server.stop();
  await start({ ceph: { seed: 5, deletesBlindly: true } });
  const answers: string[] = [];
  for (let n = 0; n < 12; n++) {
    const ends = await race(`key-${n}`);
    expect(ends.filter((end) => end === 'no failure')).toHaveLength(1);
    answers.push(...ends.filter((end) => end !== 'no failure'));
  }
  return new Set(answers);
}

test('like Ceph the loser of two writes at once is told a conflict or the condition', async () => {
  const answers = await losersAnswers((key) =>
    Promise.all(['one', 'other'].map((text) => failure(put(key, text, { IfNoneMatch: '*' })))),
  );
  expect(answers).toEqual(new Set(['409 ConcurrentModification', '412 PreconditionFailed']));
});

test('like Ceph the loser of two completions at once is told so too, and may ask again', async () => {
  const answers = await losersAnswers(async (key) => {
    const uploads = [await uploadOfOnePart(key), await uploadOfOnePart(key)];
    const complete = (upload: (typeof uploads)[number]): Promise<string> =>
      failure(client.send(new CompleteMultipartUploadCommand({ ...upload, IfNoneMatch: '*' })));
    const ends = await Promise.all(uploads.map(complete));
    const losers = uploads.filter((_, nth) => ends[nth] !== 'no failure');
    expect(await Promise.all(losers.map(complete))).toEqual(['412 PreconditionFailed']);
    return ends;
  });
  expect(answers).toEqual(new Set(['409 ConcurrentModification', '412 PreconditionFailed']));
});

test.each([true, false])(
  'like Ceph a conditional deletion may be blind to a later write: %s',
  async (blind) => {
    client.destroy();
    await server.stop();
    await start({ ceph: { seed: 5, deletesBlindly: blind } });
    const ends = new Set<string>();
    for (let n = 0; n < 20; n++) {
      const Key = `key-${n}`;
      const { ETag } = await put(Key, 'before');
      const deletion = client.send(new DeleteObjectCommand({ Bucket, Key, IfMatch: ETag }));
      const [removed] = await Promise.all([failure(deletion), put(Key, 'after')]);
      ends.add(`${removed}, ${await failure(head(Key))}`);
    }
    expect(ends.has('no failure, 404 NotFound')).toBe(blind);
  },
);

test('the parts of an upload are freed when it is aborted, and when it is completed', async () => {
  const { Key, UploadId } = await uploadOfOnePart('aborted');
  await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  await client.send(new CompleteMultipartUploadCommand(await uploadOfOnePart('completed')));
  expect(await leftovers()).toEqual([]);
});

test('a part that is on its way when the upload is aborted is too late', async () => {
  const { Key, UploadId } = await uploadOfOnePart('aborted');
  let finish: () => void = () => undefined;
  const rest = new Promise<void>((resolve) => {
    finish = resolve;
  });
  async function* body() {
    yield Buffer.alloc(10_000);
    await rest;
    yield Buffer.alloc(10_000);
  }
  const Body = Readable.from(body());
  const input = { Bucket, Key, UploadId, PartNumber: 2, Body, ContentLength: 20_000 };
  const part = failure(client.send(new UploadPartCommand(input)));
  await until(async () => (await leftovers()).some((file) => /^[0-9a-f-]{36}$/.test(file)));
  await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  finish();
  expect(await part).toBe('404 NoSuchUpload');
  expect(await leftovers()).toEqual([]);
  expect(await failure(client.send(new ListPartsCommand({ Bucket, Key, UploadId })))).toBe(
    '404 NoSuchUpload',
  );
});

test('a request can be made to fail once, and the client repeats it', async () => {
  fault = () => {
    fault = undefined;
    return { status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' };
  };
  await put('key', 'content');
  const puts = server.requests().map(({ operation, key, status }) => ({ operation, key, status }));
  expect(puts).toEqual([503, 200].map((status) => ({ operation: 'PutObject', key: 'key', status })));
});

test('a connection can be cut before a request takes effect, or after', async () => {
  const once = connect(1);
  fault = () => ({ reset: true });
  await expect(put('before', 'x', {}, once)).rejects.toThrow(/ECONNRESET|hang up/);
  fault = () => ({ reset: true, when: 'after' });
  await expect(put('after', 'x', {}, once)).rejects.toThrow(/ECONNRESET|hang up/);
  fault = undefined;
  expect(await failure(head('before'))).toBe('404 NotFound');
  expect(await read('after')).toBe('x');
});

test('a completion can fail with status 200, as that of S3 may', async () => {
  const complete = await uploadOfOnePart('key');
  fault = () => ({ status: 200, code: 'InternalError' });
  const call = connect(1).send(new CompleteMultipartUploadCommand(complete));
  expect(await failure(call)).toMatch(/InternalError$/);
});

test('a request can be held up', async () => {
  const order: string[] = [];
  fault = async () => {
    fault = undefined;
    await put('second', 'x');
    order.push('second');
  };
  await put('first', 'x');
  order.push('first');
  expect(order).toEqual(['second', 'first']);
});

test('what the server does not do it refuses', async () => {
  expect(await failure(client.send(new ListObjectsCommand({ Bucket })))).toBe('501 NotImplemented');
  expect(await failure(put('key', 'x', { ACL: 'public-read' }))).toBe('501 NotImplemented');
  expect(await failure(put('key', 'x', { Tagging: 'a=b' }))).toBe('501 NotImplemented');
  await put('file', 'x');
  expect(await failure(put('file/below', 'x'))).toBe('501 NotImplemented');
});

test('every server has credentials of its own, unless it is given some', async () => {
  const given = { accessKeyId: 'LOCALGIVEN', secretAccessKey: 'given' };
  const elsewhere = await mkdtemp(join(tmpdir(), 'local-s3-'));
  const options = { folder: elsewhere, buckets: [Bucket] };
  const another = await startS3(options);
  await another.stop();
  expect(another.secretAccessKey).not.toBe(server.secretAccessKey);
  const third = await startS3({ ...options, credentials: given });
  await third.stop();
  expect(third).toMatchObject(given);
  await rm(elsewhere, { recursive: true });
});
