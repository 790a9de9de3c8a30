import {
  type FoundClaim,
  commitClaim,
  isStillHeld,
  readClaim,
  superseded,
  takeClaim,
} from '../drop/claim.ts';
import { writeWithRetries } from '../drop/drop.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Manifest } from '../drop/manifest.ts';
import { type DropResult, isPublished, isWhole, publish } from '../drop/publish.ts';
import { isWithSchedule } from '../drop/window-claim.ts';
import type { OrderedEvents } from '../drop/pump.ts';
import { SupersededError } from '../errors.ts';
import { FORMAT_NAMES } from '../format/format.ts';
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
  const manifestKey = layout.manifest(window);
  const found = await readClaim(bucket, key, signal);
  const decided = found?.claim.committed ?? null;
  if (
    decided !== null &&
    !(await isPublished(invocation, window)) &&
    (await isWhole(invocation, decided.manifest))
  ) {
    // Somebody decided it and died.
    const result = await publish(invocation, window, decided);
    if (!replace) {
      await forget(invocation, key, found);
      return result;
    }
  }
  const held = await takeClaim(bucket, key, run, window, found, signal);
  if (held === undefined) throw superseded(window);
  // In this order: the schedule takes its claim first as well, so one of the two sees the other.
  const old = await readText(bucket, manifestKey, signal);
  const isTaken = await isWithSchedule(invocation, window);
  if (isTaken || (old !== undefined && !replace)) {
    await forget(invocation, key, held);
    return { status: isTaken ? 'leftToOther' : 'alreadyPublished' };
  }

  const assertHeld = async (): Promise<void> => {
    if (!(await isStillHeld(bucket, key, held, signal))) throw superseded(window);
    if (!replace && (await isPublished(invocation, window))) throw superseded(window);
  };
  const data = await writeWithRetries(invocation, window, read, async () => {
    await assertHeld();
    // Only what was found: whoever takes the claim over may have published since.
    if (old !== undefined && !(await remove(bucket, manifestKey, signal, old.etag))) throw superseded(window);
  });
  await assertHeld();
  const committed = { manifest: data.manifest, checkpoint: null };
  const ours = await commitClaim(bucket, key, held, committed, signal);
  if (ours === undefined) throw superseded(window);
  const result = await publish(invocation, window, committed);
  await forget(invocation, key, ours);
  if (replace) await removeLeftOver(invocation, window, committed.manifest);
  return result;
}

/** Removes a claim that is done with, unless another run has taken it over. */
async function forget(
  { bucket, signal }: Invocation,
  key: string,
  claim: FoundClaim | undefined,
): Promise<void> {
  if (claim === undefined || claim.expected === 'absent') return;
  await remove(bucket, key, signal, claim.expected.etag);
}

/** What an earlier drop had and this one has not; no manifest lists it any more. */
async function removeLeftOver(
  { bucket, layout, signal }: Invocation,
  window: Window,
  { files, report }: Manifest,
): Promise<void> {
  const kept = new Set([...files.map(({ key }) => key), report?.key]);
  for (const key of [...FORMAT_NAMES.map((name) => layout.data(window, name)), layout.report(window)]) {
    if (!kept.has(key)) await remove(bucket, key, signal);
  }
}
