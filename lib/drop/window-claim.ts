import { remove } from '../store/bucket.ts';
import type { Window } from '../window.ts';
import { readCheckpoint } from './checkpoint.ts';
import { readClaim, takeClaim } from './claim.ts';
import type { Invocation } from './invocation.ts';
import { isWhole, publish } from './publish.ts';
import { parseInstant } from '../time.ts';

/**
 * What the schedule does about a backfill of its window, once it holds the cloud's claim: a drop that is decided is
 * finished; a backfill that is still at work loses its claim, and cannot decide any more.
 *
 * @returns `published` where the window is out now, `taken` where a claim has to be removed when it is
 */
export async function takeOverFromBackfill(
  invocation: Invocation,
  window: Window,
): Promise<'published' | 'taken' | 'free'> {
  const { bucket, layout, run, signal } = invocation;
  const key = layout.windowClaim(window);
  for (;;) {
    const found = await readClaim(bucket, key, signal);
    if (found === undefined) return 'free';
    const { committed } = found.claim;
    if (committed !== null && (await isWhole(invocation, committed.manifest))) {
      await publish(invocation, window, committed);
      await remove(bucket, key, signal);
      return 'published';
    }
    if ((await takeClaim(bucket, key, run, window, found, signal)) !== undefined) return 'taken';
  }
}

/** Whether the schedule is at work on the window, or has decided a drop that it has not finished. */
export async function isWithSchedule(
  { bucket, layout, signal }: Invocation,
  window: Window,
): Promise<boolean> {
  const found = await readClaim(bucket, layout.claim, signal);
  const [start, end] = [found?.claim.window.start, found?.claim.window.end].map((time) =>
    parseInstant(time ?? ''),
  );
  if (start === undefined || end === undefined || end <= window.start || start >= window.end) return false;
  // A claim stays when its work is done; the checkpoint tells.
  const checkpoint = await readCheckpoint(bucket, layout.checkpoint, signal);
  return checkpoint === undefined || checkpoint.checkpoint.window.end < end;
}
