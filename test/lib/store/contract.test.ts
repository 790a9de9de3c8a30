import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGzip, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../support/sha256.ts';
import { openFolder } from '../../../lib/store/folder/folder-store.ts';
import { PART_BYTES } from '../../../lib/store/s3/multipart.ts';
import { s3Store } from '../../../lib/store/s3/s3-store.ts';
import type { Expected, Listed, OpenObject, Store } from '../../../lib/store/store.ts';
import { gather } from '../../support/gather.ts';
import { BUCKET, type StageOptions, startStage } from '../../support/stage.ts';

/** What every store has to do; each test has keys of its own. */

const SIGNAL = new AbortController().signal;

interface Kind {
  readonly of: string;
  readonly open: () => Promise<{ readonly store: Store; readonly close: () => Promise<void> }>;
}

const KINDS: readonly Kind[] = [
  { of: 'S3', open: () => openS3({}) },
  {
    of: 'S3 like Ceph (409 ConcurrentModification, blind deletions)',
    open: () => openS3({ ceph: { seed: 18, deletesBlindly: true } }),
  },
  { of: 'a folder', open: openTemporaryFolder },
];

async function openS3(options: StageOptions): ReturnType<Kind['open']> {
  const stage = await startStage(options);
  return { store: s3Store({ client: stage.client, name: BUCKET }), close: () => stage.stop() };
}

async function openTemporaryFolder(): ReturnType<Kind['open']> {
  const folder = await mkdtemp(join(tmpdir(), 'star-compactor-folder-'));
  const store = await openFolder(folder, { create: false });
  return {
    store,
    async close() {
      await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

describe.each(KINDS)('$of', ({ open }) => {
  let store: Store;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ store, close } = await open());
  });
  afterAll(() => close());

  const newKey = (): string => `traces/${randomUUID()}/state/object.json`;
  const openAt = (key: string, expected: Expected, compressor = new PassThrough()): OpenObject =>
    store.open({ key, contentType: 'application/octet-stream', expected }, compressor, SIGNAL);
  const bytesOf = async (key: string): Promise<Buffer | undefined> => {
    const pieces = await store.read(key, SIGNAL);
    return pieces && buffer(pieces);
  };
  const textOf = async (key: string): Promise<string | undefined> =>
    (await store.readText(key, SIGNAL))?.text;

  describe('a text', () => {
    test('that is not there is undefined, to be read, to be looked at, and to be removed', async () => {
      const key = newKey();
      expect(await store.readText(key, SIGNAL)).toBe(undefined);
      expect(await store.read(key, SIGNAL)).toBe(undefined);
      expect(await store.expectedNow(key, SIGNAL)).toBe('absent');
      await store.remove(key, SIGNAL);
    });

    test('is read as it was written, with the version that its write told', async () => {
      const key = newKey();
      const text = '{"name":"größer","ok":true}\n';
      const version = await store.writeText(key, text, 'absent', SIGNAL, 'application/json');
      const stored = await store.readText(key, SIGNAL);
      expect(stored).toMatchObject({ text, version });
      expect(stored?.json()).toEqual({ name: 'größer', ok: true });
      expect(await store.expectedNow(key, SIGNAL)).toEqual({ version });
      expect((await bytesOf(key))?.toString('utf8')).toBe(text);
    });

    test('of no JSON is undefined as JSON', async () => {
      const key = newKey();
      await store.writeText(key, '{"half', 'absent', SIGNAL);
      expect((await store.readText(key, SIGNAL))?.json()).toBe(undefined);
    });

    test('that is there already is not written as absent', async () => {
      const key = newKey();
      await store.writeText(key, 'first', 'absent', SIGNAL);
      expect(await store.writeText(key, 'second', 'absent', SIGNAL)).toBe(undefined);
      expect(await textOf(key)).toBe('first');
    });

    test('that has changed is not swapped; that has not, is', async () => {
      const key = newKey();
      const first = (await store.writeText(key, 'first', 'absent', SIGNAL)) ?? '';
      const second = (await store.writeText(key, 'second', { version: first }, SIGNAL)) ?? '';
      expect(second).not.toBe('');
      expect(await store.writeText(key, 'third', { version: first }, SIGNAL)).toBe(undefined);
      expect(await textOf(key)).toBe('second');
      expect(await store.writeText(key, 'third', { version: second }, SIGNAL)).toBeDefined();
    });

    test('that is gone is not swapped, and is absent again', async () => {
      const key = newKey();
      const version = (await store.writeText(key, 'first', 'absent', SIGNAL)) ?? '';
      await store.remove(key, SIGNAL);
      await store.remove(key, SIGNAL);
      expect(await store.writeText(key, 'second', { version }, SIGNAL)).toBe(undefined);
      expect(await store.readText(key, SIGNAL)).toBe(undefined);
      expect(await store.writeText(key, 'second', 'absent', SIGNAL)).toBeDefined();
    });

    test('of many writers at once is that of one, as absent and as swapped', async () => {
      const key = newKey();
      let expected: Expected = 'absent';
      for (let round = 0; round < 8; round++) {
        const texts = [1, 2, 3, 4, 5].map((n) => `${round} by ${n}`);
        const now = expected;
        const versions = await Promise.all(texts.map((text) => store.writeText(key, text, now, SIGNAL)));
        const winners = texts.filter((_, nth) => versions[nth] !== undefined);
        expect(winners).toEqual([await textOf(key)]);
        expected = await store.expectedNow(key, SIGNAL);
        expect(versions).toContain((expected as { version: string }).version);
      }
    });
  });

  describe('an object that is written while it is made', () => {
    test.each([0, 1, 100_000, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 17])(
      'of %i bytes is whole, with the size and the hash that are told, and not to be seen before',
      async (size) => {
        const key = newKey();
        const body = randomBytes(size);
        const object = openAt(key, 'absent');
        for (let at = 0; at < size; at += 300_000) await object.write(body.subarray(at, at + 300_000));
        expect(await store.expectedNow(key, SIGNAL)).toBe('absent');
        expect(await keysUnder(key)).toEqual([]);
        expect(await object.finish()).toEqual({ bytes: size, sha256: sha256(body) });
        await object.abort();
        expect((await bytesOf(key))?.equals(body)).toBe(true);
      },
    );

    test('is compressed', async () => {
      const key = newKey();
      const object = store.open(
        { key, contentType: 'application/gzip', expected: 'absent' },
        createGzip(),
        SIGNAL,
      );
      for (let n = 0; n < 1000; n++) await object.write(`line ${n}\n`);
      const { bytes, sha256: hash } = (await object.finish()) ?? {};
      const stored = (await bytesOf(key)) ?? Buffer.alloc(0);
      expect([bytes, hash]).toEqual([stored.length, sha256(stored)]);
      expect(gunzipSync(stored).toString('utf8').split('\n')).toHaveLength(1001);
    });

    test.each([1000, PART_BYTES + 1000])(
      'of %i bytes is left out where what is there is not what was expected',
      async (size) => {
        const finish = async (key: string, expected: Expected): Promise<unknown> => {
          const object = openAt(key, expected);
          await object.write(randomBytes(size));
          return object.finish();
        };
        const key = newKey();
        const before = (await store.writeText(key, 'before', 'absent', SIGNAL)) ?? '';
        const now = (await store.writeText(key, 'of another', { version: before }, SIGNAL)) ?? '';
        expect(await finish(key, 'absent')).toBe(undefined);
        expect(await finish(key, { version: before })).toBe(undefined);
        expect(await textOf(key)).toBe('of another');
        expect(await finish(key, { version: now })).toMatchObject({ bytes: size });
        await store.remove(key, SIGNAL);
        expect(await finish(key, { version: now })).toBe(undefined);
        expect(await store.expectedNow(key, SIGNAL)).toBe('absent');
      },
    );

    test.each([1000, PART_BYTES + 1000])('of %i bytes by many at once is that of one', async (size) => {
      const key = newKey();
      const bodies = [1, 2, 3].map(() => randomBytes(size));
      const summaries = await Promise.all(
        bodies.map(async (body) => {
          const object = openAt(key, 'absent');
          await object.write(body);
          return object.finish();
        }),
      );
      const stored = (await bytesOf(key)) ?? Buffer.alloc(0);
      expect(summaries.filter((summary) => summary !== undefined)).toEqual([
        { bytes: size, sha256: sha256(stored) },
      ]);
    });

    test('and is given up leaves nothing', async () => {
      const key = newKey();
      const object = openAt(key, 'absent');
      await object.write(randomBytes(PART_BYTES + 1000));
      await object.abort();
      await object.abort();
      expect(await store.expectedNow(key, SIGNAL)).toBe('absent');
    });

    test('is not finished after the signal', async () => {
      const controller = new AbortController();
      const key = newKey();
      const target = { key, contentType: 'text/plain', expected: 'absent' as const };
      const object = store.open(target, new PassThrough(), controller.signal);
      await object.write('half');
      controller.abort();
      await expect(object.finish()).rejects.toThrow(/abort/i);
      await object.abort();
      expect(await store.expectedNow(key, SIGNAL)).toBe('absent');
    });
  });

  const keysUnder = async (prefix: string, after = ''): Promise<string[]> =>
    (await listed(prefix, after)).map(({ key }) => key);
  const listed = async (prefix: string, after = ''): Promise<Listed[]> =>
    gather(store.list(prefix, after, SIGNAL));

  describe('a list', () => {
    const root = `traces/${randomUUID()}`;
    const KEYS = ['a-b/x.json', 'a.json', 'a/b.json', 'a/b/c.json', 'a/d.json', 'a0.json', 'b/e.json'].map(
      (key) => `${root}/${key}`,
    );

    test('has the keys with a prefix, in their order, from behind a key on', async () => {
      for (const key of KEYS) await store.writeText(key, key, 'absent', SIGNAL);
      expect(await keysUnder(`${root}/`)).toEqual(KEYS);
      for (const prefix of ['a', 'a/', 'a/b', 'b/', 'c', 'a/b/c.json/'])
        expect(await keysUnder(`${root}/${prefix}`)).toEqual(
          KEYS.filter((key) => key.startsWith(`${root}/${prefix}`)),
        );
      for (const after of [...KEYS, `${root}/a/b`, `${root}/a/b/`, `${root}/a/z`, `${root}/c`])
        expect(await keysUnder(`${root}/`, after)).toEqual(KEYS.filter((key) => key > after));
    });

    test('has sizes, a time, and a tag that is the same until the object changes', async () => {
      const key = newKey();
      const since = Date.now() / 1000;
      const version = (await store.writeText(key, 'one', 'absent', SIGNAL)) ?? '';
      const [before] = await listed(key);
      expect(before).toMatchObject({ key, bytes: 3 });
      expect(Math.abs((before?.modified ?? 0) - since)).toBeLessThan(60);
      expect(await listed(key)).toEqual([before]);
      await store.writeText(key, 'two', { version }, SIGNAL);
      expect((await listed(key))[0]?.tag).not.toBe(before?.tag);
    });

    test('of a thousand and more is whole', async () => {
      const prefix = `traces/${randomUUID()}/`;
      const keys = Array.from({ length: 1005 }, (_, n) => `${prefix}${String(n).padStart(4, '0')}`);
      for (let at = 0; at < keys.length; at += 50)
        await Promise.all(keys.slice(at, at + 50).map((key) => store.writeText(key, key, 'absent', SIGNAL)));
      expect(await keysUnder(prefix)).toEqual(keys);
    });
  });

  test('compares and swaps, as a probe of it finds, which leaves nothing', async () => {
    const key = newKey();
    expect(await store.probe(key, SIGNAL)).toEqual([]);
    expect(await store.expectedNow(key, SIGNAL)).toBe('absent');
    expect(await keysUnder(key.slice(0, -'object.json'.length))).toEqual([]);
  });

  test('tells its clock, where it has one of its own', async () => {
    const time = (await store.clock(newKey(), SIGNAL)) ?? Date.now() / 1000;
    expect(Math.abs(time - Date.now() / 1000)).toBeLessThan(60);
  });
});
