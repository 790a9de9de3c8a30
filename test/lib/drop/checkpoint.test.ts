import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Checkpoint, advanceCheckpoint, readCheckpoint } from '../../../lib/drop/checkpoint.ts';
import type { Place } from '../../../lib/drop/place.ts';
import { HOUR } from '../../../lib/core/time.ts';
import { useBucket } from '../../support/bucket.ts';

const NOON = Date.UTC(2025, 5, 2, 12) / 1000;

const place = useBucket();
let trace: Place;

beforeEach(() => {
  trace = place.newTrace();
  place.key = trace.layout.checkpoint;
});

const table = { source: 'api', begin: NOON, state: { cell1: { nextEventId: 7 } } } as const;
const tables = { instance_events: table };
const manifest = { key: 'manifests/one.json', sha256: 'ff' };
const of = (start: number, end: number): Checkpoint => ({ window: { start, end }, manifest, tables });
const put = (body: unknown): Promise<unknown> => place.put(JSON.stringify(body));
const advance = (next: Checkpoint): Promise<boolean> => advanceCheckpoint(trace, 'me', next);

const GOOD = {
  checkpointVersion: 3,
  run: 'me',
  window: { start: '2025-06-02T12:00:00Z', end: '2025-06-02T13:00:00Z' },
  manifest,
  tables,
};

const withTable = (more: object): unknown => ({
  ...GOOD,
  tables: { instance_events: { ...table, ...more } },
});

describe('A checkpoint', () => {
  test('is written as its version says, and read back', async () => {
    expect(await readCheckpoint(trace)).toBeUndefined();
    expect(await advance(of(NOON, NOON + 3600))).toBe(true);
    expect(await place.text()).toBe(JSON.stringify(GOOD));
    const found = await readCheckpoint(trace);
    expect(found?.checkpoint).toEqual(of(NOON, NOON + 3600));
    expect(found?.expected).toEqual({ version: expect.stringMatching(/\w/) });
  });

  test.each<[string, unknown, string]>([
    ['of another version', { ...GOOD, checkpointVersion: 2 }, 'checkpointVersion'],
    ['without who wrote it', { ...GOOD, run: undefined }, 'run'],
    ['with more than there is', { ...GOOD, more: 1 }, ''],
    ['whose window lacks its end', { ...GOOD, window: { start: GOOD.window.start } }, 'window.end'],
    ['whose window has more', { ...GOOD, window: { ...GOOD.window, more: 1 } }, 'window'],
    ['without tables', { ...GOOD, tables: undefined }, 'tables'],
    [
      'whose table is of a source that is not known',
      withTable({ source: 'file' }),
      'tables.instance_events.source',
    ],
    [
      'whose table does not tell its first window',
      withTable({ begin: undefined }),
      'tables.instance_events.begin',
    ],
    ['whose table begins between seconds', withTable({ begin: 0.5 }), 'tables.instance_events.begin'],
    ['whose table has no state', withTable({ state: undefined }), 'tables.instance_events.state'],
    ['whose table has more', withTable({ more: 1 }), 'tables.instance_events'],
    ['of which another table is wrong', { ...GOOD, tables: { ...tables, other: {} } }, 'tables.other.source'],
    ['without its manifest', { ...GOOD, manifest: undefined }, 'manifest'],
    ['whose manifest has no hash', { ...GOOD, manifest: { key: 'k' } }, 'manifest.sha256'],
    ['whose manifest has more', { ...GOOD, manifest: { ...manifest, more: 1 } }, 'manifest'],
    ['that begins at no time', { ...GOOD, window: { ...GOOD.window, start: 'noon' } }, 'window.start'],
    ['that ends at no time', { ...GOOD, window: { ...GOOD.window, end: 'one' } }, 'window.end'],
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
    await expect(readCheckpoint(trace)).rejects.toMatchObject({
      name: 'StoreError',
      message: `checkpoint: ${place.key}: ${field}: not what version 3 wrote; was it edited, or made by a newer one?`,
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

  test('moves on, also past windows whose own checkpoint was lost', async () => {
    await put(GOOD);
    expect(await advance(of(NOON + 3600, NOON + 7200))).toBe(true);
    expect((await readCheckpoint(trace))?.checkpoint).toEqual(of(NOON + 3600, NOON + 7200));
    expect(await advance(of(NOON + 5 * HOUR, NOON + 6 * HOUR))).toBe(true);
    expect((await readCheckpoint(trace))?.checkpoint).toEqual(of(NOON + 5 * HOUR, NOON + 6 * HOUR));
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
      message: `checkpoint: ${place.key}: changed each time it was about to be replaced; does this store compare and swap?`,
    });
    expect(writes).toBe(5);
  });
});

describe('The checkpoint of several runs', () => {
  /** The n-th hour's. */
  const hour = (n: number, state: Record<string, unknown> = {}): Checkpoint => ({
    window: { start: NOON + n * HOUR, end: NOON + (n + 1) * HOUR },
    manifest,
    tables: { instance_events: { source: 'database', begin: NOON, state } },
  });
  const advanceBy = (run: string, n: number, state = {}): Promise<boolean> =>
    advanceCheckpoint(trace, run, hour(n, state));

  test('moves on window by window, and each move is told to one run', async () => {
    for (let n = 0; n < 6; n++) {
      const moved = await Promise.all(['a', 'b', 'c'].map((run) => advanceBy(run, n, { n })));
      expect(moved.filter(Boolean)).toHaveLength(1);
      expect((await readCheckpoint(trace))?.checkpoint).toEqual(hour(n, { n }));
    }
  });

  test('in any order of moves never goes back', async () => {
    const moves = fc.array(fc.record({ run: fc.constantFrom('a', 'b'), n: fc.nat(4) }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(moves, async (list) => {
        const own = place.newTrace();
        let stands = -1;
        for (const { run, n } of list) {
          expect(await advanceCheckpoint(own, run, hour(n))).toBe(n > stands);
          stands = Math.max(stands, n);
        }
        const found = await readCheckpoint(own);
        expect(found?.checkpoint).toEqual(stands < 0 ? undefined : hour(stands));
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
