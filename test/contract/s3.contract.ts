import { randomBytes } from 'node:crypto';
import { DeleteObjectCommand, DeleteObjectsCommand } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, test } from 'vitest';
import { failure, md5, openCalls } from './calls.ts';
import { sendRaw } from './raw.ts';

/*
 * What this product expects of S3, held against the local server by default and against any other with
 *
 *     S3_ENDPOINT=… S3_BUCKET=… AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_REGION=… npm run test:s3-contract
 *
 * Everything happens below a random prefix, which is emptied at the end.
 */

const { target, client, Bucket, newKey, put, get, head, list, read } = await openCalls();
afterAll(() => target.close());

describe('an object', () => {
  test('is read as it was written, under the MD5 of its content as ETag', async () => {
    const key = newKey();
    const { ETag } = await put(key, 'the content');
    const found = await get(key);
    expect(await found.Body?.transformToString()).toBe('the content');
    expect(ETag).toBe(`"${md5('the content')}"`);
    expect(found).toMatchObject({ ETag, ContentLength: 11, AcceptRanges: 'bytes' });
    expect(found.LastModified).toBeInstanceOf(Date);
  });

  test('is replaced by a later write', async () => {
    const key = newKey();
    await put(key, 'first', { Metadata: { of: 'the first' } });
    await put(key, 'second');
    expect(await read(key)).toBe('second');
    expect((await head(key)).Metadata).toEqual({});
  });

  test('may be empty', async () => {
    const key = newKey();
    await put(key, Buffer.alloc(0));
    expect(await head(key)).toMatchObject({ ContentLength: 0, ETag: `"${md5('')}"` });
    expect(await read(key)).toBe('');
  });

  test('keeps its headers and its metadata', async () => {
    const key = newKey();
    const headers = {
      ContentType: 'text/csv; charset=utf-8',
      ContentEncoding: 'gzip',
      ContentDisposition: 'attachment',
      CacheControl: 'no-store',
      Metadata: { window: '2026-11-22', rows: '12' },
    };
    await put(key, 'x', headers);
    expect(await head(key)).toMatchObject(headers);
    expect(await get(key)).toMatchObject(headers);
  });

  test('is encrypted, and says so to its writer and to its readers', async () => {
    const key = newKey();
    const encrypted = { ServerSideEncryption: 'AES256' } as const;
    expect(await put(key, 'x')).toMatchObject(encrypted);
    expect(await put(key, 'x', encrypted)).toMatchObject(encrypted);
    expect(await head(key)).toMatchObject(encrypted);
  });

  test.each([
    'spaces and + and %',
    'cloud=a/date=2026-11-22/x.csv.gz',
    '%2E%2e/%25',
    'a//b',
    'c/./d',
    'quotes \' and " and <&>',
    'ümläut-雪-😀',
    "!*'()~_-.",
    'folder/',
  ])('may be called %s', async (name) => {
    const key = newKey(name);
    await put(key, name);
    expect(await read(key)).toBe(name);
    const { Contents = [] } = await list({ Prefix: key });
    expect(Contents.map(({ Key }) => Key)).toEqual([key]);
  });

  test('that is being read stays as it was when it is replaced', async () => {
    const key = newKey();
    const content = randomBytes(8 * 1024 * 1024);
    await put(key, content);
    const { Body } = await get(key);
    await put(key, 'something else');
    expect(md5(Buffer.from((await Body?.transformToByteArray()) ?? []))).toBe(md5(content));
  });

  test('that is not there is NoSuchKey to GET, and a bare 404 to HEAD', async () => {
    expect(await failure(get(newKey()))).toBe('404 NoSuchKey');
    expect(await failure(head(newKey()))).toBe('404 NotFound');
    const answer = await sendRaw(target, { method: 'HEAD', key: 'absent' });
    expect(answer).toMatchObject({ status: 404, body: '' });
  });

  test('of a bucket that is not there is NoSuchBucket', async () => {
    const elsewhere = { Bucket: `absent-${randomBytes(12).toString('hex')}` };
    expect(await failure(get('x', elsewhere))).toBe('404 NoSuchBucket');
    expect(await failure(put('x', 'x', elsewhere))).toBe('404 NoSuchBucket');
  });

  test('cannot have a key above 1024 bytes', async () => {
    expect(await failure(put(newKey('k'.repeat(1024)), 'x'))).toBe('400 KeyTooLongError');
  });
});

describe('an error', () => {
  test('is an XML document with a code, a message and the id of the request', async () => {
    const { status, body, headers } = await sendRaw(target, { method: 'GET', key: 'absent' });
    expect(status).toBe(404);
    expect(headers['content-type']).toMatch(/^application\/xml/);
    expect(body).toMatch(/^<\?xml .*<Error>.*<Code>NoSuchKey<\/Code><Message>.+<\/Message>/s);
    expect(body).toContain(`<RequestId>${String(headers['x-amz-request-id'])}</RequestId>`);
  });
});

describe('a deletion', () => {
  test('takes the object away, and is content when there is none', async () => {
    const key = newKey();
    await put(key, 'x');
    for (let times = 0; times < 2; times++) {
      const { $metadata } = await client.send(new DeleteObjectCommand({ Bucket, Key: key }));
      expect($metadata.httpStatusCode).toBe(204);
    }
    expect(await failure(get(key))).toBe('404 NoSuchKey');
  });

  test('can be of many objects at once, and names them', async () => {
    const gone = [newKey('a & b'), newKey('<c>'), newKey('absent')];
    const kept = newKey();
    await Promise.all([...gone.slice(0, 2), kept].map((key) => put(key, 'x')));
    const Objects = gone.map((Key) => ({ Key }));
    const { Deleted = [], Errors } = await client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects } }),
    );
    expect(new Set(Deleted.map(({ Key }) => Key))).toEqual(new Set(gone));
    expect(Errors).toBeUndefined();
    expect(await failure(head(gone[0] ?? ''))).toBe('404 NotFound');
    expect(await read(kept)).toBe('x');
  });

  test('of many objects says nothing of them when asked to be quiet', async () => {
    const key = newKey();
    await put(key, 'x');
    const Delete = { Objects: [{ Key: key }], Quiet: true };
    const { Deleted } = await client.send(new DeleteObjectsCommand({ Bucket, Delete }));
    expect(Deleted).toBeUndefined();
    expect(await failure(head(key))).toBe('404 NotFound');
  });
});
