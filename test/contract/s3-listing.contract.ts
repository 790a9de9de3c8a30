import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failure, md5, openCalls } from './calls.ts';

const { target, client, Bucket, put, list } = await openCalls();
afterAll(() => target.close());

describe('a listing', () => {
  let prefix: string;
  // In the order of their UTF-8 bytes: U+FF5E comes before U+1F600, though not in UTF-16.
  const names = ['A', 'a', 'b/1', 'b/2', 'b/c/3', 'd+ &<>', 'z', 'é', '～', '😀'];

  beforeAll(async () => {
    prefix = `${target.prefix}listing/`;
    await Promise.all(names.toReversed().map((name) => put(prefix + name, name)));
  });

  test('is in the binary order of the keys, with size and ETag', async () => {
    const { Contents = [], KeyCount, IsTruncated } = await list({ Prefix: prefix });
    expect(Contents.map(({ Key }) => Key)).toEqual(names.map((name) => prefix + name));
    expect({ KeyCount, IsTruncated }).toEqual({ KeyCount: names.length, IsTruncated: false });
    expect(Contents[0]).toMatchObject({ Size: 1, ETag: `"${md5('A')}"`, StorageClass: 'STANDARD' });
    expect(Contents[0]?.LastModified).toBeInstanceOf(Date);
  });

  test('comes page by page, each key once', async () => {
    const pages: number[] = [];
    const found: (string | undefined)[] = [];
    const config = { client: client, pageSize: 3 };
    for await (const page of paginateListObjectsV2(config, { Bucket, Prefix: prefix })) {
      pages.push(page.KeyCount ?? 0);
      found.push(...(page.Contents ?? []).map(({ Key }) => Key));
    }
    expect(pages).toEqual([3, 3, 3, 1]);
    expect(found).toEqual(names.map((name) => prefix + name));
  });

  test('rolls up what lies behind a delimiter, page by page as well', async () => {
    const found: string[] = [];
    const config = { client: client, pageSize: 1 };
    for await (const page of paginateListObjectsV2(config, { Bucket, Prefix: prefix, Delimiter: '/' })) {
      for (const { Key = '' } of page.Contents ?? []) found.push(Key);
      for (const { Prefix = '' } of page.CommonPrefixes ?? []) found.push(Prefix);
    }
    const expected = ['A', 'a', 'b/', 'd+ &<>', 'z', 'é', '～', '😀'];
    expect(found).toEqual(expected.map((name) => prefix + name));
  });

  test('of a prefix with a delimiter holds what lies directly below', async () => {
    const { Contents, CommonPrefixes } = await list({ Prefix: `${prefix}b/`, Delimiter: '/' });
    expect(Contents?.map(({ Key }) => Key)).toEqual([`${prefix}b/1`, `${prefix}b/2`]);
    expect(CommonPrefixes).toEqual([{ Prefix: `${prefix}b/c/` }]);
  });

  test('can start after a key, which need not exist', async () => {
    const { Contents = [] } = await list({ Prefix: prefix, StartAfter: `${prefix}b/2!` });
    expect(Contents[0]?.Key).toBe(`${prefix}b/c/3`);
    expect(Contents).toHaveLength(6);
  });

  test('can have its keys encoded', async () => {
    const { Contents = [] } = await list({ Prefix: `${prefix}d`, EncodingType: 'url' });
    expect(Contents[0]?.Key).toBe(`${prefix}d%2B+%26%3C%3E`);
  });

  test('may be of nothing at all', async () => {
    const empty = { KeyCount: 0, IsTruncated: false };
    expect(await list({ Prefix: `${prefix}nothing` })).toMatchObject(empty);
    expect(await list({ Prefix: prefix, MaxKeys: 0 })).toMatchObject(empty);
  });

  test('refuses a continuation token that it never gave', async () => {
    const call = list({ Prefix: prefix, ContinuationToken: 'none of yours' });
    expect(await failure(call)).toBe('400 InvalidArgument');
  });
});
