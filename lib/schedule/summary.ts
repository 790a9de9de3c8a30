import { type WindowSummary, isNew } from '../drop/window-summary.ts';
import { type Seconds, iso } from '../core/time.ts';
import { type Window, windowText } from '../core/window.ts';

/** What a scheduled run answers. */
export interface ScheduleSummary {
  readonly cloud: string;
  readonly scheduledTime: string;
  /** `upToDate`: nothing was due. `superseded`: another run publishes. `unfinished`: time ran out; see `left`. */
  readonly status: 'published' | 'upToDate' | 'superseded' | 'unfinished';
  readonly windows: readonly WindowSummary[];
  readonly rows: number;
  readonly bytes: number;
  /** Settled windows for the next run. */
  readonly left: readonly string[];
  /** Where the trace begins; null if this run did not get that far. */
  readonly begin: string | null;
  /** Everything that finished from `begin` up to here is published; null before the first drop. */
  readonly watermark: string | null;
  /** Events open at the end of the last window published here. */
  readonly openEvents: number | null;
  readonly message: string;
}

/** What a run knows at any moment, also when its time is over. */
export interface ScheduleProgress {
  readonly done: WindowSummary[];
  /** Settled windows that are not published, the next one first. */
  due: Window[];
  begin: Seconds | null;
  watermark: Seconds | null;
  openEvents: number | null;
}

export function summarize(
  cloud: string,
  scheduledTime: Seconds,
  status: ScheduleSummary['status'],
  { done, due, begin, watermark, openEvents }: ScheduleProgress,
): ScheduleSummary {
  const published = done.filter(isNew).length;
  const [from, upTo] = [begin, watermark].map((time) => (time === null ? null : iso(time)));
  const message = {
    published: `${published} window(s) published`,
    upToDate:
      `nothing is due: ${upTo === null ? `the trace begins at ${from} for good, and a backfill publishes what lies before` : `published up to ${upTo}`}, ` +
      `and the next window is not settled at ${iso(scheduledTime)}`,
    superseded: 'another run has taken over a window of this one and publishes it',
    unfinished: `${published} window(s) published, time is over; ${due.length} left for the next run`,
  }[status];
  return {
    cloud,
    scheduledTime: iso(scheduledTime),
    status,
    windows: done,
    rows: done.reduce((total, { rows = 0 }) => total + rows, 0),
    bytes: done.reduce((total, { bytes = 0 }) => total + bytes, 0),
    left: status === 'unfinished' ? due.map(windowText) : [],
    begin: from ?? null,
    watermark: upTo ?? null,
    openEvents,
    message,
  };
}
