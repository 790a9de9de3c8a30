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
import type { OrderedEvents, Tally } from '../drop/pump.ts';
import { InputError, SupersededError } from '../errors.ts';
import { FORMAT_NAMES } from '../format/format.ts';
import { readText, remove } from '../store/bucket.ts';
import { type Seconds, parseInstant } from '../time.ts';
import { type Window, windowText } from '../window.ts';

export type BackfillResult =
  | DropResult
  /** The schedule, or another backfill, is at work on it. */
  | { readonly status: 'leftToOther' };

/** What is known beforehand about drops that are to be made anew. */
export interface Replacement {
  /** Drops made from then on are not made again; see {@link BackfillPlan}. */
  readonly before: Seconds;
  /** Events that may lie in another drop than now; see {@link BackfillPlan}. */
  readonly rewritten: number;
}

/**
 * Publishes one window of a backfill: data objects, then the manifest; the checkpoint is left alone. What another
 * has published is left as it is, unless it is to be replaced: then its manifest goes when everything has been
 * read, so that at no time a manifest lists what is not there, and the drop is absent until the new one is whole.
 *
 * @param read begins to read the window; called again where a reading failed
 * @param replacement where what is published is to be replaced
 * @throws InputError where the new drop would hold less than the one that it replaces
 */
export async function dropBackfillWindow(
  invocation: Invocation,
  window: Window,
  read: () => OrderedEvents,
  replacement: Replacement | undefined,
): Promise<BackfillResult> {
  try {
    return await drop(invocation, window, read, replacement);
  } catch (error) {
    if (error instanceof SupersededError) return { status: 'leftToOther' };
    throw error;
  }
}

async function drop(
  invocation: Invocation,
  window: Window,
  read: () => OrderedEvents,
  replacement: Replacement | undefined,
): Promise<BackfillResult> {
  const replace = replacement !== undefined;
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
  const replaced = old?.json() as Manifest | undefined;
  const isKept = replaced !== undefined && (replacement === undefined || isNewer(replaced, replacement));
  if (isTaken || isKept) {
    await forget(invocation, key, held);
    return { status: isTaken ? 'leftToOther' : 'alreadyPublished' };
  }

  const assertHeld = async (): Promise<void> => {
    if (!(await isStillHeld(bucket, key, held, signal))) throw superseded(window);
    if (!replace && (await isPublished(invocation, window))) throw superseded(window);
  };
  const data = await writeWithRetries(invocation, window, read, async (tally) => {
    if (replacement !== undefined && replaced !== undefined && tally !== undefined) {
      const loss = lossOf(window, replaced, tally, replacement);
      if (loss !== undefined) {
        // Nobody may come again, who would take it over.
        await forget(invocation, key, held);
        throw loss;
      }
    }
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

/** Whether another backfill has made it anew since ours looked at what is published. */
function isNewer({ created, displacedFrom }: Manifest, { before }: Replacement): boolean {
  return displacedFrom === null && (parseInstant(created) ?? -Infinity) >= before;
}

/**
 * The old drop goes for good, so the new one has to hold what that did: archived history may have been purged since,
 * and over the API archived servers are not shown.
 *
 * @returns the refusal where the source has less
 */
function lossOf(
  window: Window,
  { counts }: Manifest,
  { events, skipped }: Tally,
  { rewritten }: Replacement,
): InputError | undefined {
  const excluded = Object.values(skipped).reduce((sum, rows) => sum + rows, 0);
  const before = counts.events - counts.late;
  if (events + excluded + rewritten >= before) return undefined;
  return new InputError(
    `event: replace: the drop of window ${windowText(window)} holds ${before} events that finished in it, of which the ` +
      `source has ${events + excluded} now: the others were purged, or cannot be seen; accepted: a range without it`,
  );
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
