import * as z from 'zod/mini';
import { StoreError } from '../core/errors.ts';
import type { Source, SourceState } from '../source/source.ts';
import type { Expected } from '../store/store.ts';
import { windowField } from '../core/fields.ts';
import type { Seconds } from '../core/time.ts';
import { type Window, isoWindow } from '../core/window.ts';
import { parseState } from './parse-state.ts';
import type { Place } from './place.ts';

/** How far the schedule has published: everything that finished before its window's end, from `begin` on. */
export interface Checkpoint {
  /** The last window published. */
  readonly window: Window;
  /** Its manifest, which the next one names as `previous`. */
  readonly manifest: ManifestRef;
  /** What the reader of each table needs to continue, by name of the table. */
  readonly tables: Readonly<Record<string, TableState>>;
}

/** One kind of source cannot use the state of another. */
export interface TableState {
  readonly source: Source['kind'];
  /** Start of the table's first window. It is later than the trace's `begin` if the table was added later. */
  readonly begin: Seconds;
  readonly state: SourceState;
}

export interface ManifestRef {
  readonly key: string;
  readonly sha256: string;
}

export interface StoredCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly expected: Expected;
}

const tableFields = z.record(
  z.string(),
  z.strictObject({
    source: z.enum(['database', 'api']),
    begin: z.int(),
    state: z.record(z.string(), z.unknown()),
  }),
);

const manifestFields = z.strictObject({ key: z.string(), sha256: z.string() });

/** A checkpoint within another object. */
export const CheckpointFields = z.strictObject({
  window: z.strictObject({ start: z.int(), end: z.int() }),
  manifest: manifestFields,
  tables: tableFields,
});

const Stored = z.strictObject({
  checkpointVersion: z.literal(3),
  /** The invocation that wrote it. If two write the same, each can tell which of them did. */
  run: z.string(),
  window: windowField,
  manifest: manifestFields,
  tables: tableFields,
});

/** Another run may move it between a read and a write, but not every time. */
const SWAP_ATTEMPTS = 5;

/** @throws StoreError if the object is not a checkpoint of this version */
export async function readCheckpoint({
  store,
  layout,
  signal,
}: Place): Promise<StoredCheckpoint | undefined> {
  const stored = await store.readText(layout.checkpoint, signal);
  if (stored === undefined) return undefined;
  const {
    checkpointVersion: _,
    run: __,
    ...checkpoint
  } = parseState('checkpoint', layout.checkpoint, stored.json(), Stored, 3);
  return { checkpoint, expected: { version: stored.version } };
}

/**
 * Moves the checkpoint forward by compare-and-swap, never back. Has no effect if it is there already.
 *
 * @param next from a decided claim, which proves that everything before is published. So it also repairs a checkpoint
 *   that was lost, or replaced by an older version
 * @returns whether it was `run` that moved it
 */
export async function advanceCheckpoint(place: Place, run: string, next: Checkpoint): Promise<boolean> {
  const { store, layout, signal } = place;
  for (let attempt = 1; ; attempt++) {
    const stored = await readCheckpoint(place);
    if (stored !== undefined && stored.checkpoint.window.end >= next.window.end) return false;
    const text = JSON.stringify({ checkpointVersion: 3, run, ...next, window: isoWindow(next.window) });
    const expected = stored?.expected ?? 'absent';
    if ((await store.writeText(layout.checkpoint, text, expected, signal)) !== undefined) return true;
    if (attempt === SWAP_ATTEMPTS)
      throw new StoreError(
        `checkpoint: ${layout.checkpoint}: changed each time it was about to be replaced; ` +
          'does this store compare and swap?',
      );
  }
}
