import { type Checkpoint, type StoredCheckpoint, hasMoved, readCheckpoint } from './drop/checkpoint.ts';
import { type Committed, type FoundClaim, readClaim } from './drop/claim.ts';
import type { Invocation } from './drop/invocation.ts';
import { dropWindow } from './drop/drop.ts';
import { type DropResult, isPublished, publish } from './drop/publish.ts';
import { skimWindow } from './drop/skim.ts';
import { DeadlineError, StoreError, SupersededError } from './errors.ts';
import {
  type Progress,
  type ScheduleSummary,
  type WindowSummary,
  isNew,
  summarize,
  windowSummary,
} from './summary.ts';
import { type Seconds, iso, parseInstant } from './time.ts';
import { type Window, type WindowPlan, lastSettledWindow, settledWindows, windowText } from './window.ts';

/** A window may take a little longer than the longest so far; if even that does not fit, it is left. */
const SAFETY = 1.5;

/**
 * Publishes what is due: from the checkpoint, window by window, up to the last one that is settled at the
 * scheduled time, as long as time remains. Without a checkpoint, the last settled window.
 *
 * @param remaining milliseconds until the invocation has to be done
 * @throws DeadlineError where not even one window could be published in time
 */
export async function runSchedule(
  invocation: Invocation,
  scheduledTime: Seconds,
  remaining: () => number,
): Promise<ScheduleSummary> {
  const { settings, signal } = invocation;
  const progress: Progress = { done: [], due: [], watermark: null, openEvents: null };
  const answer = (status: ScheduleSummary['status']): ScheduleSummary =>
    summarize(settings.cloud, scheduledTime, status, progress);
  try {
    return answer(await catchUp(invocation, scheduledTime, remaining, progress));
  } catch (error) {
    if (error instanceof SupersededError) return answer('superseded');
    if (!(signal.aborted && signal.reason instanceof DeadlineError)) throw error;
    if (progress.done.some(isNew)) return answer('unfinished');
    const [window] = progress.due;
    throw new DeadlineError(
      `the invocation's time was over before ${window === undefined ? 'anything' : `window ${windowText(window)}`} ` +
        'was published; the next run takes it up. Give the function more time or memory, or make windows shorter',
      { cause: error },
    );
  }
}

async function catchUp(
  invocation: Invocation,
  scheduledTime: Seconds,
  remaining: () => number,
  progress: Progress,
): Promise<'published' | 'upToDate' | 'unfinished'> {
  const { bucket, layout, signal, settings } = invocation;
  let longest = 0;
  for (;;) {
    const stored = await readCheckpoint(bucket, layout.checkpoint, signal);
    refuseOtherSource(stored, invocation);
    progress.watermark = stored?.checkpoint.window.end ?? null;
    const from = progress.watermark ?? (await unfinishedStart(invocation));
    progress.due = dueWindows(from, scheduledTime, settings);
    // Without a checkpoint a trace may begin behind what a backfill has published, and after a first run that ended
    // there.
    if (stored === undefined) progress.due = await behindPublished(invocation, progress.due);
    const [window] = progress.due;

    // In this order: where the manifest is there and no decided claim is pending, the checkpoint has moved as well,
    // or the window was published without it.
    const isOut = window !== undefined && (await isPublished(invocation, window));
    const claim = await readClaim(bucket, layout.claim, signal);
    const pending = pendingOf(claim, stored);
    if (pending !== undefined && (await hasMovedSince(invocation, stored, pending))) continue;
    const started = performance.now();
    const note = (of: Window, result: DropResult, status: WindowSummary['status']): void => {
      longest = Math.max(longest, performance.now() - started);
      noteWindow(invocation, progress, of, result, status, performance.now() - started);
    };

    if (pending !== undefined) {
      const { window: decided } = pending.checkpoint;
      note(decided, await publish(invocation, decided, pending), 'resumed');
    } else if (window === undefined) {
      return progress.done.some(isNew) ? 'published' : 'upToDate';
    } else if (isOut) {
      if (stored === undefined) {
        // No schedule has run yet; the next one starts behind what a backfill has published.
        note(window, { status: 'alreadyPublished' }, 'alreadyPublished');
        return 'upToDate';
      }
      if (!(await skimWindow(invocation, window, stored, claim))) continue;
      note(window, { status: 'alreadyPublished' }, 'alreadyPublished');
    } else {
      if (longest * SAFETY > remaining()) return 'unfinished';
      note(window, await dropWindow(invocation, window, stored, claim), 'published');
    }
  }
}

type Decided = Committed & { readonly checkpoint: Checkpoint };

/** What an earlier run decided and was cut off from finishing. */
function pendingOf(found: FoundClaim | undefined, stored: StoredCheckpoint | undefined): Decided | undefined {
  const { manifest, checkpoint } = found?.claim.committed ?? {};
  const reached = stored?.checkpoint.window.end ?? -Infinity;
  if (manifest === undefined || !checkpoint || checkpoint.window.end <= reached) return undefined;
  return { manifest, checkpoint };
}

/**
 * A decided window that does not begin where the checkpoint stands: another run has moved it since we looked, or
 * somebody has put an older one there, and then nobody can tell what would be lost or doubled.
 */
async function hasMovedSince(
  { bucket, layout, signal }: Invocation,
  stored: StoredCheckpoint | undefined,
  { checkpoint }: Decided,
): Promise<boolean> {
  const stands = stored?.checkpoint.window.end;
  if (stands === undefined || stands === checkpoint.window.start) return false;
  if (await hasMoved(bucket, layout.checkpoint, stored, signal)) return true;
  throw new StoreError(
    `checkpoint: ${layout.checkpoint}: stands at ${iso(stands)}, but ${layout.claim} holds the decided window ` +
      `${windowText(checkpoint.window)}; was an older checkpoint brought back? Bring back the one before it`,
  );
}

function noteWindow(
  invocation: Invocation,
  progress: Progress,
  window: Window,
  result: DropResult,
  status: WindowSummary['status'],
  milliseconds: number,
): void {
  if (result.status === 'published') {
    progress.openEvents = result.manifest.counts.stillOpen;
    progress.watermark = window.end;
  }
  progress.due = progress.due.filter(({ start }) => start >= window.end);
  progress.done.push(windowSummary(window, result, status, Math.round(milliseconds) / 1000));
  invocation.log('window done', { ...progress.done.at(-1) });
}

/** What one kind of source remembers means nothing to another, which would begin anew without a word. */
function refuseOtherSource(stored: StoredCheckpoint | undefined, { source, layout }: Invocation): void {
  const kind = stored?.checkpoint.source.kind;
  if (kind === undefined || kind === source.kind) return;
  throw new StoreError(
    `checkpoint: ${layout.checkpoint}: source.kind: the last window came from the ${kind}, but the secret opens the ` +
      `${source.kind}; continue with that, or begin a new trace under another cloud name or prefix`,
  );
}

/** Where the trace begins that a first run had begun, and did not finish: the next one must not begin behind it. */
async function unfinishedStart({ bucket, layout, signal }: Invocation): Promise<Seconds | null> {
  const found = await readClaim(bucket, layout.claim, signal);
  return parseInstant(found?.claim.window.start ?? '') ?? null;
}

/** The windows from the first one on that is not published; only the last if all are. */
async function behindPublished(invocation: Invocation, due: readonly Window[]): Promise<Window[]> {
  for (const [nth, window] of due.entries()) {
    if (!(await isPublished(invocation, window))) return due.slice(nth);
  }
  return due.slice(-1);
}

function dueWindows(from: Seconds | null, now: Seconds, plan: WindowPlan): Window[] {
  return from === null ? [lastSettledWindow(now, plan)] : settledWindows(from, now, plan);
}
