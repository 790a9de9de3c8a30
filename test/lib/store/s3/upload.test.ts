import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { createHash, randomBytes } from 'node:crypto';
import { PassThrough, type Transform } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { COMPRESSORS } from '../../../../lib/format/packing.ts';
import { PART_BYTES } from '../../../../lib/store/s3/multipart.ts';
import { openObject } from '../../../../lib/store/s3/upload.ts';
import type { Expected, ObjectSummary, OpenObject } from '../../../../lib/store/store.ts';
import { listKeys, readObject } from '../../../support/drops.ts';
import { useBucket } from '../../../support/bucket.ts';
import { BUCKET } from '../../../support/stage.ts';

const place = useBucket();

const open = (
  expected: Expected = 'absent',
  compressor: Transform = new PassThrough(),
  signal = new AbortController().signal,
): OpenObject =>
  openObject(place.bucket, { key: place.key, contentType: 'application/gzip', expected }, compressor, signal);

async function write(object: OpenObject, bytes: Buffer, piece = 300_000): Promise<void> {
  for (let at = 0; at < bytes.length; at += piece) await object.write(bytes.subarray(at, at + piece));
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function unfinished(): Promise<number> {
  const { Uploads = [] } = await place.stage.client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  return Uploads.length;
}

const operations = (): string[] =>
  place.stage.s3
    .requests()
    .filter((request) => request.key === place.key && request.method !== 'GET')
    .map(({ operation }) => operation);

const SIZES = [
  { of: 'no bytes', bytes: 0, parts: 0 },
  { of: 'one byte', bytes: 1, parts: 0 },
  { of: 'a byte less than a part', bytes: PART_BYTES - 1, parts: 0 },
  { of: 'exactly a part', bytes: PART_BYTES, parts: 0 },
  { of: 'a part and a byte', bytes: PART_BYTES + 1, parts: 2 },
  { of: 'exactly two parts', bytes: 2 * PART_BYTES, parts: 2 },
  { of: '12 MiB', bytes: 12 * 1024 * 1024, parts: 3 },
];

describe('an object is stored whole, with the bytes and the hash that are told', () => {
  test.each(SIZES)('of $of', async ({ bytes, parts }) => {
    const body = randomBytes(bytes);
    const object = open();
    await write(object, body);
    expect(await object.finish()).toEqual({ bytes, sha256: sha256(body) });
    const stored = await readObject(place.stage.client, place.key);
    expect(stored.equals(body)).toBe(true);
    expect(operations().filter((operation) => operation === 'UploadPart')).toHaveLength(parts);
    expect(operations().includes('PutObject')).toBe(parts === 0);
    await object.abort();
    expect((await readObject(place.stage.client, place.key)).length).toBe(bytes);
    expect(await unfinished()).toBe(0);
  });

  test('in one piece that is larger than two parts', async () => {
    const body = randomBytes(2 * PART_BYTES + 17);
    const object = open();
    await object.write(body);
    expect(await object.finish()).toEqual({ bytes: body.length, sha256: sha256(body) });
    expect((await readObject(place.stage.client, place.key)).equals(body)).toBe(true);
  });

  test('compressed, in text and pieces of all sizes', async () => {
    const object = open('absent', COMPRESSORS.gzip.compressor());
    let written = '';
    for (let n = 0; n < 400; n++) {
      const piece = n % 7 === 0 ? '' : randomBytes((n * 97) % 30_000).toString('base64');
      written += piece;
      await object.write(piece);
    }
    const summary = await object.finish();
    const stored = await readObject(place.stage.client, place.key);
    expect(summary).toEqual({ bytes: stored.length, sha256: sha256(stored) });
    expect(gunzipSync(stored).toString('utf8')).toBe(written);
  });
});

describe('an object that is not as expected is left as it is, and nothing is left over', () => {
  const LENGTHS = [
    { of: 'in one request', bytes: 1000 },
    { of: 'in parts', bytes: PART_BYTES + 1000 },
  ];
  const finishWith = async (expected: Expected, bytes: number): Promise<ObjectSummary | undefined> => {
    const object = open(expected);
    await write(object, randomBytes(bytes));
    return object.finish();
  };

  test.each(LENGTHS)('written $of where it was to be absent and is there', async ({ bytes }) => {
    await place.put('of another');
    expect(await finishWith('absent', bytes)).toBe(undefined);
    expect((await readObject(place.stage.client, place.key)).toString()).toBe('of another');
    expect(await unfinished()).toBe(0);
  });

  test.each(LENGTHS)('written $of where it has changed', async ({ bytes }) => {
    const expected = await place.put('as expected');
    await place.put('of another');
    expect(await finishWith(expected, bytes)).toBe(undefined);
    expect((await readObject(place.stage.client, place.key)).toString()).toBe('of another');
    expect(await unfinished()).toBe(0);
  });

  test.each(LENGTHS)('written $of where it is gone', async ({ bytes }) => {
    expect(await finishWith({ version: '"00000000000000000000000000000000"' }, bytes)).toBe(undefined);
    expect((await listKeys(place.stage.client)).includes(place.key)).toBe(false);
    expect(await unfinished()).toBe(0);
  });

  test.each(LENGTHS)('written $of while it is as expected, it is replaced', async ({ bytes }) => {
    const expected = await place.put('as expected');
    expect(await finishWith(expected, bytes)).toMatchObject({ bytes });
    expect((await readObject(place.stage.client, place.key)).length).toBe(bytes);
    expect(await unfinished()).toBe(0);
  });

  test.each(LENGTHS)('written $of by two at once, by one of them', async ({ bytes }) => {
    const bodies = [randomBytes(bytes), randomBytes(bytes)];
    const summaries = await Promise.all(
      bodies.map(async (body) => {
        const object = open();
        await write(object, body);
        return object.finish();
      }),
    );
    const stored = sha256(await readObject(place.stage.client, place.key));
    expect(summaries.filter((summary) => summary !== undefined)).toEqual([{ bytes, sha256: stored }]);
    expect(await unfinished()).toBe(0);
  });
});

describe('an upload that another writer has overtaken says so, by whichever name the store tells it', () => {
  test.each(
    ['ConditionalRequestConflict', 'OperationAborted', 'ConcurrentModification'].flatMap((code) => [
      { code, bytes: 1000, operation: 'PutObject' },
      { code, bytes: PART_BYTES + 1000, operation: 'CompleteMultipartUpload' },
    ]),
  )('$code to $operation', async ({ code, bytes, operation: refused }) => {
    const expected = await place.put('of another');
    place.onRequest = ({ operation }) => (operation === refused ? { status: 409, code } : undefined);
    const object = open(expected);
    await write(object, randomBytes(bytes));
    expect(await object.finish()).toBe(undefined);
    expect((await readObject(place.stage.client, place.key)).toString()).toBe('of another');
    expect(await unfinished()).toBe(0);
  });
});

describe('an upload that ends midway leaves nothing', () => {
  const isThere = async (): Promise<boolean> => (await listKeys(place.stage.client)).includes(place.key);

  test.each([0, 1000, PART_BYTES, PART_BYTES + 1000, 2 * PART_BYTES + 1000])(
    'by abort, after %i bytes',
    async (bytes) => {
      const object = open();
      await write(object, randomBytes(bytes));
      await object.abort();
      await object.abort();
      expect(await isThere()).toBe(false);
      expect(await unfinished()).toBe(0);
    },
  );

  test('by abort while a part is on its way', async () => {
    const object = open();
    let arrived: () => void = () => undefined;
    const onItsWay = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    place.onRequest = ({ operation }) => {
      if (operation === 'UploadPart') arrived();
    };
    const writing = write(object, randomBytes(3 * PART_BYTES)).catch(() => undefined);
    await onItsWay;
    await object.abort();
    await writing;
    expect(await isThere()).toBe(false);
    expect(await unfinished()).toBe(0);
  });

  test('by the invocation’s signal, which is what the next write and finish say', async () => {
    const controller = new AbortController();
    const object = open('absent', new PassThrough(), controller.signal);
    await write(object, randomBytes(PART_BYTES + 1000));
    controller.abort(new Error('time is over'));
    await expect(write(object, randomBytes(2 * PART_BYTES))).rejects.toThrow(/abort|time is over/i);
    await expect(object.finish()).rejects.toThrow(/abort|time is over/i);
    await object.abort();
    expect(await isThere()).toBe(false);
    expect(await unfinished()).toBe(0);
  });

  test.each(['UploadPart', 'CompleteMultipartUpload', 'CreateMultipartUpload'])(
    'by %s that is refused, which finish says',
    async (refused) => {
      place.onRequest = ({ operation }) =>
        operation === refused ? { status: 403, code: 'AccessDenied', message: 'no' } : undefined;
      const object = open();
      const failed = (async () => {
        await write(object, randomBytes(PART_BYTES + 1000));
        await object.finish();
      })();
      await expect(failed).rejects.toMatchObject({
        name: 'StoreError',
        message: expect.stringContaining(`could not upload s3://${BUCKET}/${place.key}: AccessDenied`),
      });
      await object.abort();
      place.onRequest = undefined;
      expect(await isThere()).toBe(false);
      expect(await unfinished()).toBe(0);
    },
  );
});

test('an upload whose begin is not answered in time fails as any other, and does not look like an abort', async () => {
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
    const soon = new AbortController();
    setTimeout(() => soon.abort(new DOMException('late', 'TimeoutError')), 50);
    return soon.signal;
  });
  place.onRequest = async ({ operation }) => {
    if (operation === 'CreateMultipartUpload') await delay(1000);
    return undefined;
  };
  try {
    const object = open();
    const failed = write(object, randomBytes(2 * PART_BYTES)).then(() => object.finish());
    await expect(failed).rejects.toMatchObject({
      name: 'StoreError',
      message: `could not upload s3://${BUCKET}/${place.key}: TimeoutError: no answer within 10 s`,
    });
    await object.abort();
    expect(await listKeys(place.stage.client)).not.toContain(place.key);
  } finally {
    vi.restoreAllMocks();
    place.onRequest = undefined;
  }
});

test('an upload whose answers are lost once is whole all the same, or said not to be its own', async () => {
  for (const lost of ['PutObject', 'UploadPart', 'CompleteMultipartUpload']) {
    place.key = `lost-${lost}`;
    let losses = 0;
    place.onRequest = ({ operation }) =>
      operation === lost && losses++ === 0 ? { when: 'after', reset: true } : undefined;
    const body = randomBytes(lost === 'PutObject' ? 1000 : PART_BYTES + 1000);
    const object = open();
    await write(object, body);
    const summary = await object.finish();
    place.onRequest = undefined;
    expect([undefined, sha256(body)]).toContain(summary?.sha256);
    // What is there is whole, and what a repetition of the run will find and replace.
    expect((await readObject(place.stage.client, place.key)).equals(body)).toBe(true);
    expect(await unfinished()).toBe(0);
  }
});

test('a part that fails twice is sent again, and the object is whole', async () => {
  let failures = 0;
  place.onRequest = ({ operation }) =>
    operation === 'UploadPart' && failures++ < 2 ? { status: 503, code: 'SlowDown' } : undefined;
  const body = randomBytes(2 * PART_BYTES + 1000);
  const object = open();
  await write(object, body);
  expect(await object.finish()).toEqual({ bytes: body.length, sha256: sha256(body) });
  expect((await readObject(place.stage.client, place.key)).equals(body)).toBe(true);
  expect(operations().filter((operation) => operation === 'UploadPart')).toHaveLength(3 + 2);
  expect(await unfinished()).toBe(0);
});

test('a write tells why the upload failed, however long its abortion takes', async () => {
  place.onRequest = async ({ operation }) => {
    if (operation === 'UploadPart') return { status: 403, code: 'AccessDenied' };
    if (operation === 'AbortMultipartUpload') await delay(100);
    return undefined;
  };
  const object = open();
  await expect(write(object, randomBytes(20 * 1024 * 1024))).rejects.toThrow(
    expect.objectContaining({
      name: 'StoreError',
      message: expect.stringContaining('AccessDenied') as string,
    }),
  );
  await object.abort();
  expect(await unfinished()).toBe(0);
});
