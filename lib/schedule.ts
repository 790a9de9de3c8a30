import { readCheckpoint, type StoredCheckpoint } from './drop/checkpoint.ts';
import type { Invocation } from './drop/context.ts';
import { type DropResult, dropWindow } from './drop/drop.ts';
import type { Manifest } from './drop/manifest.ts';
import { skimWindow } from './drop/skim.ts';
import { DeadlineError, SupersededError } from './errors.ts';
import { type Seconds, iso } from './time.ts';
import { type Window, lastSettledWindow, settledWindows, windowText } from './window.ts';

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
  readonly status: 'published' | 'resumed' | 'alreadyPublished' | 'superseded';
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
  const { bucket, layout, signal } = invocation;
  const done: WindowSummary[] = [];
  let openEvents: number | null = null;
  let longest = 0;
  for (;;) {
    const stored = await readCheckpoint(bucket, layout.checkpoint, signal);
    const due = dueWindows(stored, scheduledTime, invocation);
    const [window] = due;
    const isStuck = window !== undefined && done.at(-1)?.window === windowText(window);
    const summarize = (status: ScheduleSummary['status'], left: Window[]): ScheduleSummary =>
      summary(invocation, scheduledTime, status, done, left, stored, openEvents);

    if (window === undefined || isStuck) return summarize(done.some(isNew) ? 'published' : 'upToDate', due);
    if (longest * SAFETY > remaining()) return summarize('unfinished', due);

    const started = performance.now();
    const elapsed = (): number => Math.round(performance.now() - started) / 1000;
    try {
      const result = await dropWindow(invocation, window, stored?.checkpoint);
      if (result.status === 'published') openEvents = result.manifest.counts.stillOpen;
      else if (stored !== undefined) await skimUnlessMoved(invocation, window, stored);
      done.push(windowSummary(window, result, elapsed()));
      invocation.log('window done', { ...done.at(-1) });
    } catch (error) {
      if (error instanceof SupersededError) {
        done.push({ window: windowText(window), status: 'superseded', seconds: elapsed() });
        return summarize('superseded', []);
      }
      if (signal.aborted && signal.reason instanceof DeadlineError) {
        if (done.some(isNew)) return summarize('unfinished', due);
        throw new DeadlineError(
          `window ${windowText(window)}: not done within the invocation's time; nothing of it was published. ` +
            'Give the function more time or memory, or make windows shorter',
          { cause: error },
        );
      }
      throw error;
    }
    longest = Math.max(longest, performance.now() - started);
  }
}

function dueWindows(stored: StoredCheckpoint | undefined, now: Seconds, { settings }: Invocation): Window[] {
  return stored === undefined
    ? [lastSettledWindow(now, settings)]
    : settledWindows(stored.checkpoint.windowEnd, now, settings);
}

/** A window that another invocation has just published has moved the checkpoint too; one of a backfill has not. */
async function skimUnlessMoved(
  invocation: Invocation,
  window: Window,
  stored: StoredCheckpoint,
): Promise<void> {
  const now = await readCheckpoint(invocation.bucket, invocation.layout.checkpoint, invocation.signal);
  if (now?.checkpoint.windowEnd === stored.checkpoint.windowEnd) {
    await skimWindow(invocation, window, stored.checkpoint);
  }
}

function isNew({ status }: WindowSummary): boolean {
  return status === 'published' || status === 'resumed';
}

function windowSummary(window: Window, result: DropResult, seconds: number): WindowSummary {
  if (result.status === 'alreadyPublished')
    return { window: windowText(window), status: result.status, seconds };
  const { manifest, resumed } = result;
  return {
    window: windowText(window),
    status: resumed ? 'resumed' : 'published',
    rows: manifest.counts.events,
    bytes: bytesOf(manifest),
    late: manifest.counts.late,
    files: manifest.files.map(({ key }) => key),
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
  windows: readonly WindowSummary[],
  left: readonly Window[],
  stored: StoredCheckpoint | undefined,
  openEvents: number | null,
): ScheduleSummary {
  const watermark = stored === undefined ? null : iso(stored.checkpoint.windowEnd);
  const published = windows.filter(isNew).length;
  const already = windows.find((window) => window.status === 'alreadyPublished');
  const message = {
    published: `${published} window(s) published`,
    upToDate:
      already === undefined
        ? `nothing due: published up to ${watermark}, and the next window is not settled at ${iso(scheduledTime)}`
        : `window ${already.window} is already published; nothing was changed`,
    superseded:
      'another invocation works on the same window and publishes it; this one changed nothing in it',
    unfinished: `${published} window(s) published, time is over; ${left.length} left for the next run`,
  }[status];
  return {
    cloud: settings.cloud,
    scheduledTime: iso(scheduledTime),
    status,
    windows,
    rows: windows.reduce((total, { rows = 0 }) => total + rows, 0),
    bytes: windows.reduce((total, { bytes = 0 }) => total + bytes, 0),
    left: left.map(windowText),
    watermark,
    openEvents,
    message,
  };
}
