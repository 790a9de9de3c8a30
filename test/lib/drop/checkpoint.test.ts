import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Checkpoint,
  advanceCheckpoint,
  hasMoved,
  readCheckpoint,
} from '../../../lib/drop/checkpoint.ts';
import { HOUR } from '../../../lib/time.ts';
import { useBucket } from '../../support/bucket.ts';

const SIGNAL = new AbortController().signal;
const NOON = Date.UTC(2025, 5, 2, 12) / 1000;

const place = useBucket();

const source = { kind: 'api', state: { cell1: { nextEventId: 7 } } } as const;
const of = (start: number, end: number): Checkpoint => ({ window: { start, end }, source });
const put = (body: unknown): Promise<unknown> => place.put(JSON.stringify(body));
const advance = (next: Checkpoint): Promise<boolean> =>
  advanceCheckpoint(place.bucket, place.key, 'me', next, SIGNAL);

const GOOD = {
  checkpointVersion: 1,
  run: 'me',
  window: { start: '2025-06-02T12:00:00Z', end: '2025-06-02T13:00:00Z' },
  source,
};

describe('A checkpoint', () => {
  test('is written as its version says, and read back', async () => {
    expect(await readCheckpoint(place.bucket, place.key, SIGNAL)).toBeUndefined();
    expect(await advance(of(NOON, NOON + 3600))).toBe(true);
    expect(await place.text()).toBe(JSON.stringify(GOOD));
    const found = await readCheckpoint(place.bucket, place.key, SIGNAL);
    expect(found?.checkpoint).toEqual(of(NOON, NOON + 3600));
    expect(found?.expected).toEqual({ etag: expect.stringMatching(/\w/) });
  });

  test.each<[string, unknown, string]>([
    ['of another version', { ...GOOD, checkpointVersion: 2 }, 'checkpointVersion'],
    ['without who wrote it', { ...GOOD, run: undefined }, 'run'],
    ['with more than there is', { ...GOOD, more: 1 }, ''],
    ['whose window lacks its end', { ...GOOD, window: { start: GOOD.window.start } }, 'window.end'],
    ['whose window has more', { ...GOOD, window: { ...GOOD.window, more: 1 } }, 'window'],
    ['of a source that is not known', { ...GOOD, source: { ...source, kind: 'file' } }, 'source.kind'],
    ['of a source without a state', { ...GOOD, source: { kind: 'api' } }, 'source.state'],
    ['of a source with more', { ...GOOD, source: { ...source, more: 1 } }, 'source'],
    ['that begins at no time', { ...GOOD, window: { ...GOOD.window, start: 'noon' } }, 'window'],
    ['that ends at no time', { ...GOOD, window: { ...GOOD.window, end: 'one' } }, 'window'],
    [
      'whose window is empty',
      { ...GOOD, window: { start: GOOD.window.end, end: GOOD.window.end } },
      'window',
    ],
    [
      'whose window is upside down',
      { ...GOOD, window: { start: GOOD.window.end, end: GOOD.window.start } },
      'window',
    ],
    ['that is a list', [], ''],
  ])('%s is refused', async (_, stored, field) => {
    await put(stored);
    await expect(readCheckpoint(place.bucket, place.key, SIGNAL)).rejects.toMatchObject({
      name: 'StoreError',
      message: `checkpoint: ${place.key}: ${field}: not what version 1 wrote; was it edited, or made by a newer one?`,
    });
    await expect(advance(of(NOON, NOON + 3600))).rejects.toMatchObject({ name: 'StoreError' });
    expect(await place.text()).toBe(JSON.stringify(stored));
  });

  test('that stands at the window’s end or behind it stays as it is', async () => {
    await put(GOOD);
    expect(await advance(of(NOON, NOON + 3600))).toBe(false);
    expect(await advance(of(NOON - 3600, NOON))).toBe(false);
    expect(await place.text()).toBe(JSON.stringify(GOOD));
  });

  test('moves to the window that follows, and to none that leaves out or overlaps anything', async () => {
    await put(GOOD);
    for (const start of [NOON + 3599, NOON + 3601]) {
      const times = start < NOON + 3600 ? '2025-06-02T12:59:59Z' : '2025-06-02T13:00:01Z';
      await expect(advance(of(start, NOON + 7200))).rejects.toMatchObject({
        name: 'StoreError',
        message:
          'checkpoint: stands at 2025-06-02T13:00:00Z, neither at the start nor the end of the window ' +
          `${times}/2025-06-02T14:00:00Z`,
      });
    }
    expect(await place.text()).toBe(JSON.stringify(GOOD));
    expect(await advance(of(NOON + 3600, NOON + 7200))).toBe(true);
    expect((await readCheckpoint(place.bucket, place.key, SIGNAL))?.checkpoint).toEqual(
      of(NOON + 3600, NOON + 7200),
    );
  });

  test('of a store that never swaps is tried five times, and then told', async () => {
    let writes = 0;
    place.onRequest = ({ operation }) => {
      if (operation !== 'PutObject') return undefined;
      writes++;
      return { status: 412, code: 'PreconditionFailed' };
    };
    await expect(advance(of(NOON, NOON + 3600))).rejects.toMatchObject({
      name: 'StoreError',
      message: `checkpoint: ${place.key}: was never as it was just read; does this store compare and swap?`,
    });
    expect(writes).toBe(5);
  });

  test('has moved when it ends elsewhere than it did', async () => {
    expect(await hasMoved(place.bucket, place.key, undefined, SIGNAL)).toBe(false);
    await put(GOOD);
    expect(await hasMoved(place.bucket, place.key, undefined, SIGNAL)).toBe(true);
    const read = await readCheckpoint(place.bucket, place.key, SIGNAL);
    expect(await hasMoved(place.bucket, place.key, read, SIGNAL)).toBe(false);
    await put({ ...GOOD, run: 'another' });
    expect(await hasMoved(place.bucket, place.key, read, SIGNAL)).toBe(false);
    await advance(of(NOON + 3600, NOON + 7200));
    expect(await hasMoved(place.bucket, place.key, read, SIGNAL)).toBe(true);
  });
});

describe('The checkpoint of several runs', () => {
  /** The n-th hour's. */
  const hour = (n: number, state: Record<string, unknown> = {}): Checkpoint => ({
    window: { start: NOON + n * HOUR, end: NOON + (n + 1) * HOUR },
    source: { kind: 'database', state },
  });
  const advanceBy = (run: string, n: number, state = {}): Promise<boolean> =>
    advanceCheckpoint(place.bucket, place.key, run, hour(n, state), SIGNAL);

  test('moves on window by window, and each move is told to one run', async () => {
    for (let n = 0; n < 6; n++) {
      const moved = await Promise.all(['a', 'b', 'c'].map((run) => advanceBy(run, n, { n })));
      expect(moved.filter(Boolean)).toHaveLength(1);
      expect((await readCheckpoint(place.bucket, place.key, SIGNAL))?.checkpoint).toEqual(hour(n, { n }));
    }
  });

  test('in any order of moves never goes back and never leaves out a window', async () => {
    const moves = fc.array(fc.record({ run: fc.constantFrom('a', 'b'), n: fc.nat(4) }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(moves, async (list) => {
        const own = place.newKey();
        let stands: number | undefined;
        for (const { run, n } of list) {
          const answer = await advanceCheckpoint(place.bucket, own, run, hour(n), SIGNAL).catch(
            (error: Error) => error.name,
          );
          const mayMove = stands === undefined || n === stands + 1;
          expect(answer).toBe(mayMove ? true : n <= (stands ?? -1) ? false : 'StoreError');
          if (mayMove) stands = n;
        }
        const found = await readCheckpoint(place.bucket, own, SIGNAL);
        expect(found?.checkpoint.window).toEqual(stands === undefined ? undefined : hour(stands).window);
      }),
      { numRuns: 50 },
    );
  });

  test('moved by a run whose answer is lost was moved by it', async () => {
    await advanceBy('a', 0);
    place.loseNextAnswer();
    expect(await advanceBy('a', 1)).toBe(true);
    expect(await advanceBy('b', 1)).toBe(false);
  });
});
