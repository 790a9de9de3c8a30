import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, test } from 'vitest';
import { crc, failure, md5, openCalls } from './calls.ts';
import { sendRaw } from './raw.ts';

const { target, client, Bucket, newKey, below, put, head, read } = await openCalls();
afterAll(() => target.close());

describe('a conditional write', () => {
  test('with If-None-Match makes an object once', async () => {
    const key = newKey();
    await put(key, 'first', { IfNoneMatch: '*' });
    expect(await failure(put(key, 'second', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
    expect(await read(key)).toBe('first');
  });

  test('with If-None-Match makes an object again after its deletion', async () => {
    const key = newKey();
    await put(key, 'first', { IfNoneMatch: '*' });
    await client.send(new DeleteObjectCommand({ Bucket, Key: key }));
    await put(key, 'second', { IfNoneMatch: '*' });
    expect(await read(key)).toBe('second');
  });

  test('with If-Match replaces the version it names, and no other', async () => {
    const key = newKey();
    const first = await put(key, 'first');
    const second = await put(key, 'second', { IfMatch: first.ETag });
    expect(await failure(put(key, 'third', { IfMatch: first.ETag }))).toBe('412 PreconditionFailed');
    expect(await read(key, { IfMatch: second.ETag })).toBe('second');
  });

  test('that is a deletion with If-Match removes the version it names, and no other', async () => {
    const key = newKey();
    const first = await put(key, 'first');
    const second = await put(key, 'second');
    const remove = (etag: string | undefined) =>
      client.send(new DeleteObjectCommand({ Bucket, Key: key, IfMatch: etag }));
    expect(await failure(remove(first.ETag))).toBe('412 PreconditionFailed');
    expect(await read(key)).toBe('second');
    await remove(second.ETag);
    expect(await failure(head(key))).toBe('404 NotFound');
  });

  test('with If-Match finds no object where there is none', async () => {
    const key = newKey();
    expect(await failure(put(key, 'x', { IfMatch: `"${md5('x')}"` }))).toBe('404 NoSuchKey');
    expect(await failure(head(key))).toBe('404 NotFound');
  });

  test.each(['If-None-Match', 'If-Match'])('with %s has one winner among many at once', async (condition) => {
    const key = newKey();
    const { ETag } = condition === 'If-Match' ? await put(key, 'before') : {};
    const more = ETag ? { IfMatch: ETag } : { IfNoneMatch: '*' };
    const names = Array.from({ length: 8 }, (_, i) => `writer ${i}`);
    const ends = await Promise.all(names.map((name) => failure(put(key, name, more))));
    const winners = names.filter((_, i) => ends[i] === 'no failure');
    expect(winners).toHaveLength(1);
    expect(await read(key)).toBe(winners[0]);
    const lost = ['412 PreconditionFailed', '409 ConditionalRequestConflict', '409 ConcurrentModification'];
    expect(ends.filter((end) => end !== 'no failure' && !lost.includes(end))).toEqual([]);
  });

  test('with a wrong checksum does not stand in the way of the next', async () => {
    const key = newKey();
    const headers = { 'if-none-match': '*', 'x-amz-checksum-crc32': crc('other') };
    const refused = await sendRaw(target, { method: 'PUT', key: below(key), body: 'x', headers });
    expect(refused.code).toBe('BadDigest');
    await put(key, 'x', { IfNoneMatch: '*' });
  });
});
