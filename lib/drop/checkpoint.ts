import * as z from 'zod/mini';
import { StoreError } from '../errors.ts';
import type { Source, SourceState } from '../source/source.ts';
import { type Bucket, type Expected, readText, writeText } from '../store/bucket.ts';
import { iso, parseInstant } from '../time.ts';
import { type Window, windowText } from '../window.ts';

/** Where the scheduled runs of a cloud stand: everything that finished before its window's end is published. */
export interface Checkpoint {
  /** The last window published. */
  readonly window: Window;
  readonly source: { readonly kind: Source['kind']; readonly state: SourceState };
}

export interface StoredCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly expected: Expected;
}

const sourceFields = z.strictObject({
  kind: z.enum(['database', 'api']),
  state: z.record(z.string(), z.unknown()),
});

/** A checkpoint within another object. */
export const CheckpointFields = z.strictObject({
  window: z.strictObject({ start: z.int(), end: z.int() }),
  source: sourceFields,
});

const Stored = z.strictObject({
  checkpointVersion: z.literal(1),
  /** The invocation that wrote it, so that of two that write the same, each knows whether it was the one. */
  run: z.string(),
  window: z.strictObject({ start: z.string(), end: z.string() }),
  source: sourceFields,
});

/** Whether the checkpoint stands elsewhere than when it was read as `from`. */
export async function hasMoved(
  bucket: Bucket,
  key: string,
  from: StoredCheckpoint | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const now = await readCheckpoint(bucket, key, signal);
  return now?.checkpoint.window.end !== from?.checkpoint.window.end;
}

/** Another run may move it between our reading and our writing, but not time and again. */
const SWAP_ATTEMPTS = 5;

/** @throws StoreError where the object is not a checkpoint of this version */
export async function readCheckpoint(
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
): Promise<StoredCheckpoint | undefined> {
  const stored = await readText(bucket, key, signal);
  if (stored === undefined) return undefined;
  return { checkpoint: parseCheckpoint(stored.json(), key), expected: { etag: stored.etag } };
}

/**
 * Moves the checkpoint on by compare-and-swap. Doing so again, or after another invocation has, changes nothing.
 *
 * @returns whether it was `run` that moved it
 * @throws StoreError where the checkpoint stands neither before nor after the window: someone else moved it
 */
export async function advanceCheckpoint(
  bucket: Bucket,
  key: string,
  run: string,
  next: Checkpoint,
  signal: AbortSignal,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const stored = await readCheckpoint(bucket, key, signal);
    const now = stored?.checkpoint.window.end;
    if (now !== undefined && now >= next.window.end) return false;
    if (now !== undefined && now !== next.window.start) {
      throw new StoreError(
        `checkpoint: stands at ${iso(now)}, neither at the start nor the end of the window ${windowText(next.window)}`,
      );
    }
    const text = formatCheckpoint(run, next);
    const written = await writeText(bucket, key, text, stored?.expected ?? 'absent', signal);
    if (written !== undefined) return true;
    if (attempt === SWAP_ATTEMPTS)
      throw new StoreError(
        `checkpoint: ${key}: was never as it was just read; does this store compare and swap?`,
      );
  }
}

export function formatCheckpoint(run: string, { window, source }: Checkpoint): string {
  const times = { start: iso(window.start), end: iso(window.end) };
  return JSON.stringify({ checkpointVersion: 1, run, window: times, source });
}

function parseCheckpoint(value: unknown, key: string): Checkpoint {
  const parsed = z.safeParse(Stored, value);
  const start = parseInstant(parsed.data?.window.start ?? '');
  const end = parseInstant(parsed.data?.window.end ?? '');
  if (!parsed.success || start === undefined || end === undefined || end <= start) {
    const field = parsed.error?.issues[0]?.path.join('.') ?? 'window';
    throw new StoreError(
      `checkpoint: ${key}: ${field}: not what version 1 wrote; was it edited, or made by a newer one?`,
    );
  }
  return { window: { start, end }, source: parsed.data.source };
}
