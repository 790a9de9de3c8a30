import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failure, openCalls } from './calls.ts';

const { target, newKey, put, get, head, read } = await openCalls();
afterAll(() => target.close());

describe('a range', () => {
  const content = '0123456789';
  let key: string;

  beforeAll(async () => {
    key = newKey();
    await put(key, content);
  });

  test.each([
    ['bytes=0-3', '0123', 'bytes 0-3/10'],
    ['bytes=4-4', '4', 'bytes 4-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=5-99', '56789', 'bytes 5-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-99', content, 'bytes 0-9/10'],
  ])('%s is that part of the object', async (Range, part, ContentRange) => {
    const found = await get(key, { Range });
    expect(found.$metadata.httpStatusCode).toBe(206);
    expect(found).toMatchObject({ ContentRange, ContentLength: part.length });
    expect(await found.Body?.transformToString()).toBe(part);
    expect(await head(key, { Range })).toMatchObject({ ContentLength: part.length });
  });

  test.each(['bytes=10-', 'bytes=99-100', 'bytes=-0'])('%s lies outside and is refused', async (Range) => {
    expect(await failure(get(key, { Range }))).toBe('416 InvalidRange');
  });

  test('of an empty object is refused', async () => {
    const empty = newKey();
    await put(empty, Buffer.alloc(0));
    expect(await failure(get(empty, { Range: 'bytes=0-0' }))).toBe('416 InvalidRange');
  });
});

describe('a conditional read', () => {
  test('answers 304 to a client that has the object already', async () => {
    const key = newKey();
    const { ETag } = await put(key, 'x');
    expect(await failure(get(key, { IfNoneMatch: ETag }))).toMatch(/^304 /);
    expect(await read(key, { IfNoneMatch: '"other"' })).toBe('x');
  });

  test('answers 412 to a client that wants another version', async () => {
    const key = newKey();
    const { ETag } = await put(key, 'x');
    expect(await failure(get(key, { IfMatch: '"other"' }))).toBe('412 PreconditionFailed');
    expect(await failure(head(key, { IfMatch: '"other"' }))).toMatch(/^412 /);
    expect(await read(key, { IfMatch: ETag })).toBe('x');
  });

  test('can go by time', async () => {
    const key = newKey();
    await put(key, 'x');
    const { LastModified } = await head(key);
    const earlier = new Date(Number(LastModified) - 60_000);
    expect(await failure(get(key, { IfModifiedSince: LastModified }))).toMatch(/^304 /);
    expect(await read(key, { IfModifiedSince: earlier })).toBe('x');
    expect(await failure(get(key, { IfUnmodifiedSince: earlier }))).toBe('412 PreconditionFailed');
  });
});
