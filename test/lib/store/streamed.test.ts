import { randomBytes } from 'node:crypto';
import { PassThrough, Transform } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createGzip, createZstdCompress, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openStreamed } from '../../../lib/store/streamed.ts';
import { sha256 } from '../../support/sha256.ts';

const NEVER = new AbortController().signal;

class LostError extends Error {}

interface Sent {
  readonly fail?: () => Error | undefined;
  readonly signal?: AbortSignal;
}

/** Opens an object that is sent to nowhere; `sent` tells what came. */
function open(compressor: Transform, { fail, signal = NEVER }: Sent = {}) {
  const chunks: Buffer[] = [];
  const send = async () => {
    for await (const chunk of compressor as AsyncIterable<Buffer>) {
      const error = fail?.();
      if (error !== undefined) throw error;
      signal.throwIfAborted();
      // Copied, as a store has to: what passes through is the writer's own.
      chunks.push(Buffer.from(chunk));
    }
    const all = Buffer.concat(chunks);
    return { bytes: all.length, sha256: sha256(all) };
  };
  const isLost = (error: unknown): boolean => error instanceof LostError;
  const toError = (error: unknown): Error => new Error(`could not write: ${String(error)}`);
  return {
    object: openStreamed(compressor, { send, isLost, toError }, signal),
    sent: () => Buffer.concat(chunks),
  };
}

const COMPRESSORS = [
  ['gzip', createGzip, gunzipSync],
  ['zstd', createZstdCompress, zstdDecompressSync],
  ['nothing', () => new PassThrough(), (bytes: Buffer) => bytes],
] as const;

/** Pieces of text that do and do not fill the buffers, of one to four bytes a character. */
const PIECES = [
  'a',
  'ü'.repeat(70_000),
  '€'.repeat(174_000),
  '🙂'.repeat(300_000),
  'z'.repeat(524_288),
  '',
  'end',
];

describe.each(COMPRESSORS)('An object that is compressed by %s', (_, create, unpack) => {
  test('holds all pieces of text in order, however long they are', async () => {
    const { object, sent } = open(create());
    const written: string[] = [];
    for (let round = 0; round < 4; round++)
      for (const piece of [...PIECES, ...Array.from({ length: 50 }, (__, nth) => `${nth} `.repeat(5000))]) {
        await object.write(piece);
        written.push(piece);
      }
    const summary = await object.finish();
    expect(sha256(unpack(sent()))).toBe(sha256(Buffer.from(written.join(''))));
    expect(summary).toEqual({ bytes: sent().length, sha256: sha256(sent()) });
  });

  test('holds bytes between pieces of text in their place', async () => {
    const { object, sent } = open(create());
    for (const piece of ['before ', Buffer.from('bytes '), 'after', Buffer.from(' and more')])
      await object.write(piece);
    await object.finish();
    expect(unpack(sent()).toString()).toBe('before bytes after and more');
  });

  test('tells why it cannot be sent, and not that its compressor is gone', async () => {
    const { object } = open(create(), { fail: () => new Error('no such bucket') });
    const writing = async (): Promise<void> => {
      for (let nth = 0; nth < 100; nth++) await object.write(`${Math.random()}`.repeat(10_000));
      await object.finish();
    };
    await expect(writing()).rejects.toThrow('could not write: Error: no such bucket');
    await object.abort();
  });

  test('that another writer has replaced is told at its end, also where the upload failed before', async () => {
    const { object } = open(create(), { fail: () => new LostError() });
    await object.write('x'.repeat(100_000));
    expect(await object.finish()).toBeUndefined();
  });

  test('ends with an AbortError when it is aborted', async () => {
    for (let nth = 0; nth < 5; nth++) {
      const abort = new AbortController();
      const { object } = open(create(), { signal: abort.signal });
      const writing = async (): Promise<void> => {
        for (let more = 0; more < 10_000; more++) {
          await object.write(randomBytes(50_000).toString('hex'));
          await setImmediate();
        }
      };
      setTimeout(() => abort.abort(new Error('time is over')), nth * 5);
      await expect(writing()).rejects.toThrow('AbortError');
      await object.abort();
    }
  });

  test('that is given up while it is written leaves nothing waiting', async () => {
    const { object } = open(create());
    await object.write('x'.repeat(500_000));
    await object.write('y'.repeat(500_000));
    await expect(object.abort()).resolves.toBeUndefined();
  });
});

test('A compressor that fails is told by the write or the end that follows', async () => {
  const broken = new Transform({ transform: (_, __, done) => done(new Error('out of memory')) });
  const { object } = open(broken);
  const writing = async (): Promise<void> => {
    for (let nth = 0; nth < 10; nth++) await object.write('x'.repeat(100_000));
    await object.finish();
  };
  await expect(writing()).rejects.toThrow('out of memory');
  await object.abort();
});
