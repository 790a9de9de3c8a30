import * as z from 'zod/mini';
import { StoreError } from '../errors.ts';
import type { Source, SourceState } from '../source/source.ts';
import { type Bucket, type Expected, readText, writeText } from '../store/bucket.ts';
import { iso, parseInstant, type Seconds } from '../time.ts';
import type { Window } from '../window.ts';

/** Where the scheduled runs of a cloud stand: everything that finished before `windowEnd` is published. */
export interface Checkpoint {
  readonly windowEnd: Seconds;
  readonly source: { readonly kind: Source['kind']; readonly state: SourceState };
}

export interface StoredCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly expected: Expected;
}

const Stored = z.strictObject({
  checkpointVersion: z.literal(1),
  windowEnd: z.string(),
  source: z.strictObject({ kind: z.enum(['database', 'api']), state: z.record(z.string(), z.unknown()) }),
});

/** @throws StoreError where the object is not a checkpoint of this version */
export async function readCheckpoint(
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
): Promise<StoredCheckpoint | undefined> {
  const stored = await readText(bucket, key, signal);
  if (stored === undefined) return undefined;
  return { checkpoint: parseCheckpoint(stored.text, key), expected: { etag: stored.etag } };
}

/**
 * Moves the checkpoint on by compare-and-swap. Doing so again, or after another invocation has, changes nothing.
 *
 * @throws StoreError where the checkpoint stands neither before nor after the window: someone else moved it
 */
export async function advanceCheckpoint(
  bucket: Bucket,
  key: string,
  window: Window,
  next: Checkpoint,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const stored = await readCheckpoint(bucket, key, signal);
    if (stored !== undefined && stored.checkpoint.windowEnd >= next.windowEnd) return;
    if (stored !== undefined && stored.checkpoint.windowEnd !== window.start) {
      throw new StoreError(
        `checkpoint: stands at ${iso(stored.checkpoint.windowEnd)}, neither at the start nor the end of the window ` +
          `${iso(window.start)}/${iso(window.end)}`,
      );
    }
    const written = await writeText(
      bucket,
      key,
      formatCheckpoint(next),
      stored?.expected ?? 'absent',
      signal,
    );
    if (written !== undefined) return;
  }
}

function formatCheckpoint({ windowEnd, source }: Checkpoint): string {
  return JSON.stringify({ checkpointVersion: 1, windowEnd: iso(windowEnd), source });
}

function parseCheckpoint(text: string, key: string): Checkpoint {
  const parsed = z.safeParse(Stored, readJson(text));
  const windowEnd = parsed.success ? parseInstant(parsed.data.windowEnd) : undefined;
  if (!parsed.success || windowEnd === undefined) {
    const field = parsed.error?.issues[0]?.path.join('.') ?? 'windowEnd';
    throw new StoreError(
      `checkpoint: ${key}: ${field}: not what version 1 wrote; was it edited, or made by a newer one?`,
    );
  }
  return { windowEnd, source: parsed.data.source };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
