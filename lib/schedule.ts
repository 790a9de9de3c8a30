import { type Checkpoint, type StoredCheckpoint, readCheckpoint } from './drop/checkpoint.ts';
import { type Committed, type FoundClaim, readClaim } from './drop/claim.ts';
import type { Invocation } from './drop/invocation.ts';
import { type DropResult, dropWindow, isPublished, publish } from './drop/drop.ts';
import type { Manifest } from './drop/manifest.ts';
import { skimWindow } from './drop/skim.ts';
import { DeadlineError, SupersededError } from './errors.ts';
import { type Seconds, iso } from './time.ts';
import { type Window, type WindowPlan, lastSettledWindow, settledWindows, windowText } from './window.ts';

/** What a scheduled run answers. */
export interface ScheduleSummary {
  readonly cloud: string;
  readonly scheduledTime: string;
  /** `upToDate`: nothing was due. `superseded`: another invocation publishes. `unfinished`: time ran out, see `left`. */
  readonly status: 'published' | 'upToDate' | 'superseded' | 'unfinished';
  readonly windows: readonly WindowSummary[];
  readonly rows: number;
  readonly bytes: number;
  /** Settled windows for the next run. */
  readonly left: readonly string[];
  /** Everything that finished before is published; null before the first drop. */
  readonly watermark: string | null;
  /** Events open at the end of the last window published here. */
  readonly openEvents: number | null;
  readonly message: string;
}

export interface WindowSummary {
  readonly window: string;
  readonly status: 'published' | 'resumed' | 'alreadyPublished';
  readonly rows?: number;
  readonly bytes?: number;
  readonly late?: number;
  readonly files?: readonly string[];
  readonly seconds: number;
}

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
  const { signal } = invocation;
  const progress: Progress = { done: [], due: [], watermark: null, openEvents: null };
  const summarize = (status: ScheduleSummary['status']): ScheduleSummary =>
    summary(invocation, scheduledTime, status, progress);
  try {
    return summarize(await catchUp(invocation, scheduledTime, remaining, progress));
  } catch (error) {
    if (error instanceof SupersededError) return summarize('superseded');
    if (!(signal.aborted && signal.reason instanceof DeadlineError)) throw error;
    if (progress.done.some(isNew)) return summarize('unfinished');
    const [window] = progress.due;
    throw new DeadlineError(
      `the invocation's time was over before ${window === undefined ? 'anything' : `window ${windowText(window)}`} ` +
        'was published; the next run takes it up. Give the function more time or memory, or make windows shorter',
      { cause: error },
    );
  }
}

/** What is known at any moment, also at that of a deadline. */
interface Progress {
  readonly done: WindowSummary[];
  /** Settled windows that are not published, the next one first. */
  due: Window[];
  watermark: Seconds | null;
  openEvents: number | null;
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
    progress.watermark = stored?.checkpoint.window.end ?? null;
    progress.due = dueWindows(progress.watermark, scheduledTime, settings);
    const [window] = progress.due;

    // In this order: where the manifest is there and no decided claim is pending, the checkpoint has moved as well,
    // or the window was published without it.
    const isOut = window !== undefined && (await isPublished(invocation, window));
    const claim = await readClaim(bucket, layout.claim, signal);
    const pending = pendingOf(claim, stored);
    const started = performance.now();
    const note = (of: Window, result: DropResult, status: WindowSummary['status']): void => {
      longest = Math.max(longest, performance.now() - started);
      noteWindow(invocation, progress, of, result, status, performance.now() - started);
    };

    if (pending !== undefined) {
      note(pending.checkpoint.window, await publish(invocation, pending), 'resumed');
    } else if (window === undefined) {
      return progress.done.some(isNew) ? 'published' : 'upToDate';
    } else if (isOut) {
      if (stored === undefined) {
        // No schedule has run yet; the next one starts behind what a backfill has published.
        note(window, { status: 'alreadyPublished' }, 'alreadyPublished');
        return 'upToDate';
      }
      if (!(await skimUnlessMoved(invocation, window, stored.checkpoint))) continue;
      note(window, { status: 'alreadyPublished' }, 'alreadyPublished');
    } else {
      if (longest * SAFETY > remaining()) return 'unfinished';
      note(window, await dropWindow(invocation, window, stored, claim), 'published');
    }
  }
}

/** What an earlier run decided and was cut off from finishing. */
function pendingOf(
  found: FoundClaim | undefined,
  stored: StoredCheckpoint | undefined,
): Committed | undefined {
  const committed = found?.claim.committed ?? undefined;
  const reached = stored?.checkpoint.window.end ?? -Infinity;
  return committed !== undefined && committed.checkpoint.window.end > reached ? committed : undefined;
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

function dueWindows(watermark: Seconds | null, now: Seconds, plan: WindowPlan): Window[] {
  return watermark === null ? [lastSettledWindow(now, plan)] : settledWindows(watermark, now, plan);
}

/**
 * Moves the checkpoint over a window that was published without it, by a backfill. False where it has moved by
 * itself: then another invocation has just published the window.
 */
async function skimUnlessMoved(invocation: Invocation, window: Window, from: Checkpoint): Promise<boolean> {
  const now = await readCheckpoint(invocation.bucket, invocation.layout.checkpoint, invocation.signal);
  if (now?.checkpoint.window.end !== from.window.end) return false;
  await skimWindow(invocation, window, from);
  return true;
}

function isNew({ status }: WindowSummary): boolean {
  return status === 'published' || status === 'resumed';
}

function windowSummary(
  window: Window,
  result: DropResult,
  status: WindowSummary['status'],
  seconds: number,
): WindowSummary {
  if (result.status === 'alreadyPublished')
    return { window: windowText(window), status: result.status, seconds };
  const { counts, files } = result.manifest;
  return {
    window: windowText(window),
    status,
    rows: counts.events,
    bytes: bytesOf(result.manifest),
    late: counts.late,
    files: files.map(({ key }) => key),
    seconds,
  };
}

function bytesOf({ files }: Manifest): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}

function summary(
  { settings }: Invocation,
  scheduledTime: Seconds,
  status: ScheduleSummary['status'],
  { done, due, watermark, openEvents }: Progress,
): ScheduleSummary {
  const published = done.filter(isNew).length;
  const already = done.find((window) => window.status === 'alreadyPublished');
  const upTo = watermark === null ? null : iso(watermark);
  const message = {
    published: `${published} window(s) published`,
    upToDate:
      already === undefined
        ? `nothing due: published up to ${upTo}, and the next window is not settled at ${iso(scheduledTime)}`
        : `window ${already.window} is already published; nothing was changed`,
    superseded: 'another invocation has taken over a window of this one and publishes it',
    unfinished: `${published} window(s) published, time is over; ${due.length} left for the next run`,
  }[status];
  return {
    cloud: settings.cloud,
    scheduledTime: iso(scheduledTime),
    status,
    windows: done,
    rows: done.reduce((total, { rows = 0 }) => total + rows, 0),
    bytes: done.reduce((total, { bytes = 0 }) => total + bytes, 0),
    left: status === 'unfinished' ? due.map(windowText) : [],
    watermark: upTo,
    openEvents,
    message,
  };
}
