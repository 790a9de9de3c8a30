import { commitClaim, isStillHeld, superseded, takeClaim } from '../drop/claim.ts';
import { writeWithRetries } from '../drop/drop.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Manifest } from '../drop/manifest.ts';
import { type DropResult, isPublished } from '../drop/publish.ts';
import { isWithSchedule } from '../drop/window-claim.ts';
import type { OrderedEvents, Tally } from '../drop/pump.ts';
import { InputError, SupersededError } from '../errors.ts';
import { FORMAT_NAMES } from '../format/format.ts';
import { expectedNow, readText, remove } from '../store/bucket.ts';
import { iso } from '../time.ts';
import { type Window, windowText } from '../window.ts';
import { finishDecided, forget, publishDecided } from './decided.ts';
import { type Making, heldBy, whyKept } from './replacement.ts';

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
 * @param gone how many events of a drop that is replaced may be in another by now
 * @throws InputError where the new drop would hold less than the one that it replaces
 */
export async function dropBackfillWindow(
  invocation: Invocation,
  window: Window,
  read: () => OrderedEvents,
  making: Making,
  gone: number,
): Promise<BackfillResult> {
  try {
    return await drop(invocation, window, read, making, gone);
  } catch (error) {
    if (error instanceof SupersededError) return { status: 'leftToOther' };
    throw error;
  }
}

async function drop(
  invocation: Invocation,
  window: Window,
  read: () => OrderedEvents,
  making: Making,
  gone: number,
): Promise<BackfillResult> {
  const { bucket, layout, run, signal } = invocation;
  const { replacement } = making;
  const key = layout.windowClaim(window);
  const manifestKey = layout.manifest(window);
  const found = await finishDecided(invocation, window, replacement);
  if (found?.published !== undefined) return { status: 'published', manifest: found.published };
  const out = await readText(bucket, manifestKey, signal);
  const kept = out && whyKept(out.json() as Manifest, making);
  if (kept !== undefined) return { status: kept };
  const replaces = out === undefined ? found?.claim.replaces : finishedIn(out.json() as Manifest);
  // It is being replaced, or that was broken off: alone it might hold what is in another drop, or lack what is in none.
  if (replacement === undefined && replaces !== undefined) return { status: 'leftToOther' };

  const held = await takeClaim(bucket, key, run, window, found, signal, replaces);
  if (held === undefined) throw superseded(window);
  // In this order: the schedule takes its claim first as well, so one of the two sees the other.
  const now = await readText(bucket, manifestKey, signal);
  const isOther = now !== undefined && now.etag !== out?.etag;
  if (isOther || (await isWithSchedule(invocation, window))) {
    await forget(invocation, key, held);
    return { status: 'leftToOther' };
  }

  const assertHeld = async (): Promise<void> => {
    if (!(await isStillHeld(bucket, key, held, signal))) throw superseded(window);
    if (replacement === undefined && (await isPublished(invocation, window))) throw superseded(window);
  };
  const mayFinish = async (tally?: Tally): Promise<void> => {
    const loss =
      replaces === undefined || tally === undefined ? undefined : lossOf(window, replaces, tally, gone);
    if (loss !== undefined) {
      // Nobody may come again, who would take it over. Where the old drop is gone, only the claim knows of it.
      if (now !== undefined) await forget(invocation, key, held);
      throw loss;
    }
    const leftOver = replacement === undefined ? [] : await leftOverOf(invocation, window);
    await assertHeld();
    const manifest = out === undefined ? [] : [{ key: manifestKey, etag: out.etag }];
    // Only what was found: whoever takes the claim over may have published since, or be about to.
    for (const { key: old, etag } of [...manifest, ...leftOver])
      if (!(await remove(bucket, old, signal, etag))) throw superseded(window);
  };
  const besideSchedule = making.stand === -Infinity ? null : iso(making.stand);
  const data = await writeWithRetries(invocation, window, read, mayFinish, {
    replacement: replacement ?? null,
    besideSchedule,
  });
  await assertHeld();
  const committed = { manifest: data.manifest, checkpoint: null };
  const ours = await commitClaim(bucket, key, held, committed, signal);
  if (ours === undefined) throw superseded(window);
  const result = await publishDecided(invocation, window, committed);
  await forget(invocation, key, ours);
  return result;
}

/** Events that finished in the window of a drop, and were to be in it as far as the settings had it. */
function finishedIn({ counts }: Manifest): number {
  return heldBy(counts) - counts.late;
}

/**
 * The old drop goes for good, so the new one has to hold what that did: archived history may have been purged since,
 * and over the API archived servers are not shown.
 *
 * @returns the refusal where the source has less
 */
function lossOf(
  window: Window,
  replaces: number,
  { events, skipped }: Tally,
  gone: number,
): InputError | undefined {
  const has = heldBy({ events, skipped });
  if (has + gone >= replaces) return undefined;
  return new InputError(
    `event: replace: the drop of window ${windowText(window)} holds ${replaces} events that finished in it, of which the ` +
      `source has ${has} now: the others were purged, or cannot be seen; accepted: a range without it`,
  );
}

/** What an earlier drop had and the new one is not to have. */
async function leftOverOf(
  { bucket, layout, settings, signal }: Invocation,
  window: Window,
): Promise<{ key: string; etag: string }[]> {
  const others = FORMAT_NAMES.filter((name) => !settings.formats.includes(name));
  const keys = [
    ...others.map((name) => layout.data(window, name)),
    ...(settings.report ? [] : [layout.report(window)]),
  ];
  const found = await Promise.all(
    keys.map(async (key) => ({ key, expected: await expectedNow(bucket, key, signal) })),
  );
  return found.flatMap(({ key, expected }) => (expected === 'absent' ? [] : [{ key, etag: expected.etag }]));
}
