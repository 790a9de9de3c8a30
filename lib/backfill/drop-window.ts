import { commitClaim, isStillHeld, readClaim, superseded, takeClaim } from '../drop/claim.ts';
import { manifestOf, writeWithRetries } from '../drop/drop.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Manifest } from '../drop/manifest.ts';
import { type DropResult, isWhole, publish } from '../drop/publish.ts';
import { isWithSchedule } from '../drop/window-claim.ts';
import type { OrderedEvents } from '../drop/write-data.ts';
import { SupersededError } from '../errors.ts';
import { readText, remove } from '../store/bucket.ts';
import type { Window } from '../window.ts';

export type BackfillResult =
  | DropResult
  /** The schedule, or another backfill, is at work on it. */
  | { readonly status: 'leftToOther' };

/**
 * Publishes one window of a backfill: data objects, then the manifest; the checkpoint is left alone. What another
 * has published is left as it is, unless it is to be replaced: then its manifest goes when everything has been
 * read, so that at no time a manifest lists what is not there, and the drop is absent until the new one is whole.
 *
 * @param read begins to read the window; called again where a reading failed
 */
export async function dropBackfillWindow(
  invocation: Invocation,
  window: Window,
  read: () => OrderedEvents,
  replace: boolean,
): Promise<BackfillResult> {
  try {
    return await drop(invocation, window, read, replace);
  } catch (error) {
    if (error instanceof SupersededError) return { status: 'leftToOther' };
    throw error;
  }
}

async function drop(
  invocation: Invocation,
  window: Window,
  read: () => OrderedEvents,
  replace: boolean,
): Promise<BackfillResult> {
  const { bucket, layout, run, signal } = invocation;
  const key = layout.windowClaim(window);
  const found = await readClaim(bucket, key, signal);
  const decided = found?.claim.committed ?? null;
  if (decided !== null && (await manifestNow(invocation, window)) === undefined) {
    if (await isWhole(invocation, decided.manifest)) {
      const result = await publish(invocation, window, decided);
      await remove(bucket, key, signal);
      return result;
    }
  }
  const held = await takeClaim(bucket, key, run, window, found, signal);
  if (held === undefined) throw superseded(window);
  // In this order: the schedule takes its claim first as well, so one of the two sees the other.
  const old = await manifestNow(invocation, window);
  const isTaken = await isWithSchedule(invocation, window);
  if (isTaken || (old !== undefined && !replace)) {
    await remove(bucket, key, signal);
    return { status: isTaken ? 'leftToOther' : 'alreadyPublished' };
  }

  const assertHeld = async (): Promise<void> => {
    if (!(await isStillHeld(bucket, key, held, signal))) throw superseded(window);
    if (!replace && (await manifestNow(invocation, window)) !== undefined) throw superseded(window);
  };
  const data = await writeWithRetries(invocation, window, read, async () => {
    await assertHeld();
    if (old !== undefined) await remove(bucket, layout.manifest(window), signal);
  });
  await assertHeld();
  const committed = { manifest: manifestOf(invocation, window, data), checkpoint: null };
  if ((await commitClaim(bucket, key, held, committed, signal)) === undefined) throw superseded(window);
  const result = await publish(invocation, window, committed);
  await remove(bucket, key, signal);
  if (old !== undefined) await removeLeftOvers(invocation, old, committed.manifest);
  return result;
}

async function manifestNow(
  { bucket, layout, signal }: Invocation,
  window: Window,
): Promise<Manifest | undefined> {
  const stored = await readText(bucket, layout.manifest(window), signal);
  return stored === undefined ? undefined : ((stored.json() ?? {}) as Manifest);
}

/** Files of formats that the new drop does not have; no manifest lists them any more. */
async function removeLeftOvers({ bucket, signal }: Invocation, old: Manifest, made: Manifest): Promise<void> {
  const kept = new Set(made.files.map(({ key }) => key));
  for (const { key } of old.files ?? []) if (!kept.has(key)) await remove(bucket, key, signal);
}
