import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, test } from 'vitest';
import { crc, failure, md5, openCalls } from './calls.ts';
import { chunked, sendHalf, sendRaw } from './raw.ts';

const { target, newKey, below, put, get, head, list, read, readBytes } = await openCalls();
afterAll(() => target.close());

const trailerPayload = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

describe('a streamed body', () => {
  const content = randomBytes(300_000);
  const stream = () => Readable.from([content.subarray(0, 100_000), content.subarray(100_000)]);

  test('is stored as its content, without the framing and the coding of its transfer', async () => {
    const key = newKey();
    const ContentEncoding = 'gzip';
    const written = await put(key, stream(), { ContentLength: content.length, ContentEncoding });
    expect(written).toMatchObject({ ETag: `"${md5(content)}"`, ChecksumCRC32: crc(content) });
    expect(md5(await readBytes(key))).toBe(md5(content));
    expect(await head(key)).toMatchObject({ ContentLength: content.length, ContentEncoding });
  });

  test('has no content encoding when it was given none', async () => {
    const key = newKey();
    await put(key, stream(), { ContentLength: content.length });
    expect((await head(key)).ContentEncoding).toBeUndefined();
  });

  test('of small pieces is refused, for only the last chunk may be below 8 KiB', async () => {
    const key = newKey();
    const pieces = Readable.from([Buffer.alloc(100), Buffer.alloc(100)]);
    expect(await failure(put(key, pieces, { ContentLength: 200 }))).toBe('403 InvalidChunkSizeError');
    expect(await failure(head(key))).toBe('404 NotFound');
  });

  const trailed = {
    method: 'PUT',
    payloadHash: trailerPayload,
    headers: {
      'content-encoding': 'aws-chunked',
      'x-amz-trailer': 'x-amz-checksum-crc32',
      'x-amz-decoded-content-length': '5',
    },
  } as const;

  test('is taken with the right checksum in its trailer', async () => {
    const key = newKey();
    const body = chunked(['hello'], `x-amz-checksum-crc32:${crc('hello')}`);
    const { status, headers } = await sendRaw(target, { ...trailed, key: below(key), body });
    expect({ status, crc32: headers['x-amz-checksum-crc32'] }).toEqual({ status: 200, crc32: crc('hello') });
    expect(await read(key)).toBe('hello');
  });

  test.each([
    ['a wrong checksum', chunked(['hello'], `x-amz-checksum-crc32:${crc('other')}`), 'BadDigest'],
    ['a missing trailer', chunked(['hello']), 'MalformedTrailerError'],
    ['less than it announced', chunked(['hell'], `x-amz-checksum-crc32:${crc('hell')}`), 'IncompleteBody'],
    ['its last chunk missing', chunked(['hello']).subarray(0, 10), 'IncompleteBody'],
    ['half a chunk', chunked(['hello']).subarray(0, 5), 'IncompleteBody'],
  ])('with %s is refused and leaves nothing', async (_, body, code) => {
    const key = newKey();
    expect(await sendRaw(target, { ...trailed, key: below(key), body })).toMatchObject({ status: 400, code });
    expect(await failure(head(key))).toBe('404 NotFound');
  });
});

describe('a checksum', () => {
  test('is that of CRC32 by default, and is told to a client that asks', async () => {
    const key = newKey();
    const checksum = { ChecksumCRC32: crc('the content'), ChecksumType: 'FULL_OBJECT' };
    expect(await put(key, 'the content')).toMatchObject(checksum);
    expect(await head(key, { ChecksumMode: 'ENABLED' })).toMatchObject(checksum);
    expect(await get(key, { ChecksumMode: 'ENABLED' })).toMatchObject(checksum);
    const { headers } = await sendRaw(target, { method: 'GET', key: below(key) });
    expect(headers).not.toHaveProperty('x-amz-checksum-crc32');
  });

  test.each(['CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)('can be that of %s', async (algorithm) => {
    const key = newKey();
    const written = await put(key, 'the content', { ChecksumAlgorithm: algorithm });
    const checksum = written[`Checksum${algorithm}`];
    expect(checksum).toEqual(expect.any(String));
    const found = await get(key, { ChecksumMode: 'ENABLED' });
    expect(found[`Checksum${algorithm}`]).toBe(checksum);
    expect(await found.Body?.transformToString()).toBe('the content');
  });

  test('is left out of an answer with a part of the object', async () => {
    const key = newKey();
    await put(key, 'the content');
    const { ChecksumCRC32 } = await get(key, { ChecksumMode: 'ENABLED', Range: 'bytes=0-2' });
    expect(ChecksumCRC32).toBeUndefined();
  });

  const otherMd5 = createHash('md5').update('other').digest('base64');
  const otherSha256 = createHash('sha256').update('other').digest();

  test.each([
    ['CRC32', { headers: { 'x-amz-checksum-crc32': crc('other') } }, 'BadDigest'],
    ['SHA-256', { headers: { 'x-amz-checksum-sha256': otherSha256.toString('base64') } }, 'BadDigest'],
    ['Content-MD5', { headers: { 'content-md5': otherMd5 } }, 'BadDigest'],
    ['Content-MD5 that is none', { headers: { 'content-md5': 'bm9uZQ==' } }, 'InvalidDigest'],
    ['CRC32 that is none', { headers: { 'x-amz-checksum-crc32': 'bm90IG9uZQ==' } }, 'InvalidRequest'],
    ['payload hash', { payloadHash: otherSha256.toString('hex') }, 'XAmzContentSHA256Mismatch'],
    [
      'number of checksums',
      { headers: { 'x-amz-checksum-crc32': crc('content'), 'x-amz-checksum-crc32c': crc('content') } },
      'InvalidRequest',
    ],
  ])('with a wrong %s has the write refused and nothing stored', async (_, wrong, code) => {
    const key = newKey();
    const request = { method: 'PUT', key: below(key), body: 'content', ...wrong } as const;
    expect(await sendRaw(target, request)).toMatchObject({ status: 400, code });
    expect(await failure(head(key))).toBe('404 NotFound');
  });

  test('that is wrong leaves the object as it was', async () => {
    const key = newKey();
    await put(key, 'before');
    const headers = { 'x-amz-checksum-crc32': crc('other') };
    await sendRaw(target, { method: 'PUT', key: below(key), body: 'after', headers });
    expect(await read(key)).toBe('before');
  });
});

describe('a writer that goes away', () => {
  test('in the middle of the body leaves nothing', async () => {
    const key = newKey();
    await sendHalf(target, { method: 'PUT', key: below(key), body: randomBytes(200_000) });
    expect(await failure(head(key))).toBe('404 NotFound');
    expect((await list({ Prefix: key })).KeyCount).toBe(0);
  });

  test('in the middle of the body leaves the object that was there', async () => {
    const key = newKey();
    await put(key, 'before');
    await sendHalf(target, { method: 'PUT', key: below(key), body: randomBytes(200_000) });
    expect(await read(key)).toBe('before');
  });
});
