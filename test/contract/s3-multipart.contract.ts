import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { CompletedPart, CreateMultipartUploadCommandInput } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, describe, expect, test } from 'vitest';
import { crc, failure, md5, openCalls } from './calls.ts';
import { sendRaw } from './raw.ts';

const { target, client, Bucket, newKey, below, put, head, read, readBytes } = await openCalls();
afterAll(() => target.close());

const minimumPart = 5 * 1024 * 1024;

async function begin(Key: string, more: Partial<CreateMultipartUploadCommandInput> = {}): Promise<string> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
  if (!UploadId) throw new Error('No upload id');
  return UploadId;
}

async function sendPart(Key: string, UploadId: string, PartNumber: number, Body: Buffer | string) {
  const input = { Bucket, Key, UploadId, PartNumber, Body };
  const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand(input));
  return { PartNumber, ETag, ChecksumCRC32 } satisfies CompletedPart;
}

function complete(
  Key: string,
  UploadId: string,
  Parts: CompletedPart[],
  more: { IfNoneMatch?: string; IfMatch?: string; ChecksumCRC32?: string; ChecksumType?: 'FULL_OBJECT' } = {},
) {
  const input = { Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more };
  return client.send(new CompleteMultipartUploadCommand(input));
}

describe('a multipart upload', () => {
  const big = randomBytes(minimumPart);
  const small = randomBytes(1000);
  const bigDigest = createHash('md5').update(big).digest();
  const smallDigest = createHash('md5').update(small).digest();
  async function* failing() {
    yield big;
    yield big;
    await Promise.resolve();
    throw new Error('the source failed');
  }
  const multipartEtag = `"${md5(Buffer.concat([bigDigest, smallDigest]))}-2"`;

  test('joins its parts in the order of their numbers', async () => {
    const key = newKey();
    const id = await begin(key, {
      ContentType: 'text/csv',
      Metadata: { rows: '7' },
      ContentEncoding: 'gzip',
    });
    const second = await sendPart(key, id, 9, small);
    const first = await sendPart(key, id, 2, big);
    expect(await failure(head(key))).toBe('404 NotFound');
    const { ETag } = await complete(key, id, [first, second]);
    expect(ETag).toBe(multipartEtag);
    expect(await head(key)).toMatchObject({
      ETag,
      ContentType: 'text/csv',
      ContentEncoding: 'gzip',
      Metadata: { rows: '7' },
      ContentLength: big.length + small.length,
    });
    expect(md5(await readBytes(key))).toBe(md5(Buffer.concat([big, small])));
  });

  test('by default keeps the checksum of the checksums of its parts', async () => {
    const key = newKey();
    const id = await begin(key, { ChecksumAlgorithm: 'CRC32' });
    const parts = [await sendPart(key, id, 1, big), await sendPart(key, id, 2, small)];
    expect(parts.map((part) => part.ChecksumCRC32)).toEqual([crc(big), crc(small)]);
    const digests = Buffer.concat([crc(big), crc(small)].map((value) => Buffer.from(value, 'base64')));
    const checksum = { ChecksumCRC32: `${crc(digests)}-2`, ChecksumType: 'COMPOSITE' };
    expect(await complete(key, id, parts)).toMatchObject(checksum);
    expect(await head(key, { ChecksumMode: 'ENABLED' })).toMatchObject(checksum);
  });

  test('can have the checksum of the whole, and checks it', async () => {
    const key = newKey();
    const ChecksumType = 'FULL_OBJECT' as const;
    const id = await begin(key, { ChecksumAlgorithm: 'CRC32', ChecksumType });
    const parts = [await sendPart(key, id, 1, big), await sendPart(key, id, 2, small)];
    const wrong = { ChecksumType, ChecksumCRC32: crc('other') };
    expect(await failure(complete(key, id, parts, wrong))).toBe('400 BadDigest');
    const right = { ChecksumType, ChecksumCRC32: crc(Buffer.concat([big, small])) };
    expect(await complete(key, id, parts, right)).toMatchObject(right);
    expect(await head(key, { ChecksumMode: 'ENABLED' })).toMatchObject(right);
  });

  test('keeps the last of the parts with one number', async () => {
    const key = newKey();
    const id = await begin(key);
    const replaced = await sendPart(key, id, 1, 'first');
    const last = await sendPart(key, id, 1, 'second');
    expect(await failure(complete(key, id, [replaced]))).toBe('400 InvalidPart');
    await complete(key, id, [last]);
    expect(await read(key)).toBe('second');
  });

  test('leaves out the parts that its completion does not list', async () => {
    const key = newKey();
    const id = await begin(key);
    const [kept] = [await sendPart(key, id, 1, 'kept'), await sendPart(key, id, 2, 'left out')];
    await complete(key, id, [kept]);
    expect(await read(key)).toBe('kept');
  });

  test('refuses to be completed with parts out of order, unknown, changed or too small', async () => {
    const key = newKey();
    const id = await begin(key, { ChecksumAlgorithm: 'CRC32' });
    const first = await sendPart(key, id, 1, 'small');
    const second = await sendPart(key, id, 2, 'last');
    expect(await failure(complete(key, id, [second, first]))).toBe('400 InvalidPartOrder');
    expect(await failure(complete(key, id, [first, first]))).toBe('400 InvalidPartOrder');
    expect(await failure(complete(key, id, [{ ...first, PartNumber: 3 }]))).toBe('400 InvalidPart');
    expect(await failure(complete(key, id, [{ ...first, ETag: `"${md5('x')}"` }]))).toBe('400 InvalidPart');
    expect(await failure(complete(key, id, [{ ...first, ChecksumCRC32: crc('x') }]))).toBe('400 InvalidPart');
    expect(await failure(complete(key, id, [first, second]))).toBe('400 EntityTooSmall');
    expect(await failure(complete(key, id, []))).toBe('400 MalformedXML');
    expect(await failure(head(key))).toBe('404 NotFound');
  });

  test('with composite checksums wants them in its completion', async () => {
    const key = newKey();
    const id = await begin(key, { ChecksumAlgorithm: 'CRC32' });
    const { PartNumber, ETag } = await sendPart(key, id, 1, small);
    expect(await failure(complete(key, id, [{ PartNumber, ETag }]))).toBe('400 InvalidRequest');
  });

  test('refuses a part with a wrong checksum, and a part number out of range', async () => {
    const key = newKey();
    const id = await begin(key);
    const request = { method: 'PUT', key: below(key), body: 'x' } as const;
    const headers = { 'x-amz-checksum-crc32': crc('y') };
    const query = `partNumber=1&uploadId=${id}`;
    expect(await sendRaw(target, { ...request, query, headers })).toMatchObject({
      status: 400,
      code: 'BadDigest',
    });
    expect(await failure(sendPart(key, id, 0, 'x'))).toBe('400 InvalidArgument');
    expect(await failure(sendPart(key, id, 10_001, 'x'))).toBe('400 InvalidArgument');
    const { Parts } = await client.send(new ListPartsCommand({ Bucket, Key: key, UploadId: id }));
    expect(Parts).toBeUndefined();
  });

  test('takes streamed parts', async () => {
    const key = newKey();
    const UploadId = await begin(key);
    const Body = Readable.from([big.subarray(0, 100_000), big.subarray(100_000)]);
    const input = { Bucket, Key: key, UploadId, PartNumber: 1, Body, ContentLength: big.length };
    const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand(input));
    expect({ ETag, ChecksumCRC32 }).toEqual({ ETag: `"${md5(big)}"`, ChecksumCRC32: crc(big) });
    await complete(key, UploadId, [{ PartNumber: 1, ETag, ChecksumCRC32 }]);
    expect((await head(key)).ContentLength).toBe(big.length);
  });

  test('that was aborted takes no part and no completion, and leaves no object', async () => {
    const key = newKey();
    const id = await begin(key);
    const part = await sendPart(key, id, 1, 'x');
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key: key, UploadId: id }));
    expect(await failure(sendPart(key, id, 2, 'x'))).toBe('404 NoSuchUpload');
    expect(await failure(complete(key, id, [part]))).toBe('404 NoSuchUpload');
    expect(await failure(client.send(new ListPartsCommand({ Bucket, Key: key, UploadId: id })))).toBe(
      '404 NoSuchUpload',
    );
    expect(await failure(head(key))).toBe('404 NotFound');
  });

  test('that was never begun is NoSuchUpload', async () => {
    const id = randomBytes(16).toString('hex');
    expect(await failure(sendPart(newKey(), id, 1, 'x'))).toBe('404 NoSuchUpload');
  });

  test('is listed while it lasts, and so are its parts, page by page', async () => {
    const key = newKey();
    const UploadId = await begin(key);
    const parts = [await sendPart(key, UploadId, 1, 'one'), await sendPart(key, UploadId, 3, 'three')];
    const uploads = new ListMultipartUploadsCommand({ Bucket, Prefix: key });
    const { Uploads = [] } = await client.send(uploads);
    expect(Uploads).toMatchObject([{ Key: key, UploadId }]);
    const page = new ListPartsCommand({ Bucket, Key: key, UploadId, MaxParts: 1 });
    const first = await client.send(page);
    expect(first.Parts).toMatchObject([{ PartNumber: 1, Size: 3, ETag: parts[0]?.ETag }]);
    expect(first.IsTruncated).toBe(true);
    const PartNumberMarker = first.NextPartNumberMarker;
    const rest = await client.send(
      new ListPartsCommand({ Bucket, Key: key, UploadId, MaxParts: 1, PartNumberMarker }),
    );
    expect(rest.Parts).toMatchObject([{ PartNumber: 3, Size: 5, ETag: parts[1]?.ETag }]);
    expect(rest.IsTruncated).toBe(false);
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key: key, UploadId }));
    expect((await client.send(uploads)).Uploads).toBeUndefined();
  });

  test('with If-None-Match is not completed over an object', async () => {
    const key = newKey();
    const id = await begin(key);
    const part = await sendPart(key, id, 1, 'from parts');
    await put(key, 'already there');
    expect(await failure(complete(key, id, [part], { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
    expect(await read(key)).toBe('already there');
  });

  test('with If-None-Match is completed where there is no object', async () => {
    const key = newKey();
    const id = await begin(key);
    const part = await sendPart(key, id, 1, 'from parts');
    await complete(key, id, [part], { IfNoneMatch: '*' });
    expect(await read(key)).toBe('from parts');
  });

  test('with If-Match is completed over the version it names, and no other', async () => {
    const key = newKey();
    const id = await begin(key);
    const part = await sendPart(key, id, 1, 'from parts');
    const IfMatch = `"${md5('before')}"`;
    expect(await failure(complete(key, id, [part], { IfMatch }))).toBe('404 NoSuchKey');
    await put(key, 'another');
    expect(await failure(complete(key, id, [part], { IfMatch }))).toBe('412 PreconditionFailed');
    await put(key, 'before');
    await complete(key, id, [part], { IfMatch });
    expect(await read(key)).toBe('from parts');
  });

  test('with If-None-Match has one winner among several completed at once', async () => {
    const key = newKey();
    const uploads = await Promise.all(
      Array.from({ length: 4 }, async (_, i) => {
        const id = await begin(key);
        return { id, part: await sendPart(key, id, 1, `upload ${i}`) };
      }),
    );
    const ends = await Promise.all(
      uploads.map(({ id, part }) => failure(complete(key, id, [part], { IfNoneMatch: '*' }))),
    );
    expect(ends.filter((end) => end === 'no failure')).toHaveLength(1);
    expect(await read(key)).toBe(`upload ${ends.indexOf('no failure')}`);
  });

  test('by lib-storage stores a stream of any length', async () => {
    const key = newKey();
    const content = randomBytes(2 * minimumPart + 12_345);
    // Pieces far below the size of a part, as a compressor gives them.
    const pieces = Array.from({ length: Math.ceil(content.length / 4000) }, (_, i) =>
      content.subarray(i * 4000, (i + 1) * 4000),
    );
    const params = { Bucket, Key: key, Body: Readable.from(pieces), IfNoneMatch: '*' };
    const { ETag } = await new Upload({ client: client, params }).done();
    expect(ETag).toMatch(/-3"$/);
    expect(md5(await readBytes(key))).toBe(md5(content));
  });

  test('by lib-storage leaves nothing when its source fails', async () => {
    const key = newKey();
    const params = { Bucket, Key: key, Body: Readable.from(failing()) };
    const upload = new Upload({ client: client, params });
    await expect(upload.done()).rejects.toThrow('the source failed');
    expect(await failure(head(key))).toBe('404 NotFound');
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: key }));
    expect(Uploads).toBeUndefined();
  });
});
