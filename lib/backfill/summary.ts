import type { WindowSummary } from '../drop/window-summary.ts';
import { iso } from '../core/time.ts';
import { type Window, windowText, windowsOf } from '../core/window.ts';
import type { BackfillPlan } from './plan.ts';
import { type BackfillRequest, eventOf } from './request.ts';

/** What a backfill will about cost. */
export interface Estimate {
  /** Of one function after another. */
  readonly seconds: number;
  readonly gigabyteSeconds: number;
  readonly dollars: number;
}

/** What a backfill answers. */
export interface BackfillSummary {
  readonly cloud: string;
  /**
   * `published`: all is done. `unfinished`: time ran out; send `next`. `started`: the state machine is at work.
   * `planned`: a dry run.
   */
  readonly status: 'published' | 'unfinished' | 'started' | 'planned';
  /** Name of the release; null for a backfill of the scheduled trace. */
  readonly release: string | null;
  readonly start: string;
  readonly end: string;
  /** Windows in the range. */
  readonly windows: number;
  /** Those made here. */
  readonly done: readonly BackfilledWindow[];
  readonly rows: number;
  readonly bytes: number;
  /** Public id shared by the drops made here; null where none was made. */
  readonly maskingScope: string | null;
  /** Published before, and left alone; runs of windows as one interval, the first {@link LISTED} of them. */
  readonly alreadyPublished: readonly string[];
  /** Another run was at work on these; they are published by that, or by asking again. */
  readonly leftToOther: readonly string[];
  /** Older than anything that the source still has, as one interval. */
  readonly beforeHistory: readonly string[];
  readonly sourceFrom: string | null;
  /** To be made still; runs of windows as one interval. */
  readonly left: readonly string[];
  /** The event that asks for what is left; null where nothing is. */
  readonly next: object | null;
  /** Of a dry run: events in the source, and what making the drops will about cost. */
  readonly expected?: { readonly rows: number | null; readonly cost: Estimate | null };
  readonly execution?: { readonly arn: string; readonly watch: string };
  readonly message: string;
}

export interface BackfilledWindow extends Omit<WindowSummary, 'status'> {
  readonly status: WindowSummary['status'] | 'leftToOther';
}

/** What is known at any moment, also at that of a deadline. */
export interface BackfillProgress {
  readonly plan: BackfillPlan;
  readonly done: BackfilledWindow[];
  left: readonly Window[];
}

/** An answer of Lambda has its limits; 50,000 windows, every other one published, would break them. */
const LISTED = 100;

/** @param status of a backfill that is made here and now */
export function summarizeBackfill(
  cloud: string,
  request: BackfillRequest,
  status: Exclude<BackfillSummary['status'], 'started'>,
  { plan, done, left }: BackfillProgress,
  maskingScope: string,
): BackfillSummary {
  const made = done.filter((window) => window.status === 'published');
  const of = (wanted: BackfilledWindow['status']): string[] =>
    done.filter((window) => window.status === wanted).map(({ window }) => window);
  const [first, last] = [left[0], left.at(-1)];
  const gone = plan.beforeHistory.length;
  const message = {
    published:
      `${made.length} window(s) published` +
      (plan.published.length > 0 ? `, ${plan.published.length} were already` : '') +
      (gone > 0 ? `; the source has nothing of ${gone} window(s) any more` : ''),
    unfinished:
      `${made.length} window(s) published, ${left.length} left, for time is over or another run is at work on them; ` +
      'send "next" for them',
    planned: `${plan.due.length} of ${plan.windows} window(s) would be made`,
  }[status];
  return {
    cloud,
    status,
    release: request.release ?? null,
    start: iso(request.range.start),
    end: iso(request.range.end),
    windows: plan.windows,
    done,
    rows: made.reduce((total, { rows = 0 }) => total + rows, 0),
    bytes: made.reduce((total, { bytes = 0 }) => total + bytes, 0),
    maskingScope: made.length > 0 ? maskingScope : null,
    alreadyPublished: [...intervals(plan.published), ...of('alreadyPublished')].slice(0, LISTED),
    leftToOther: of('leftToOther'),
    beforeHistory: intervals(plan.beforeHistory),
    sourceFrom: plan.sourceFrom === null ? null : iso(plan.sourceFrom),
    left: intervals(left),
    next:
      first === undefined || last === undefined
        ? null
        : eventOf({ ...request, asked: { start: first.start, end: last.end } }),
    message,
  };
}

/** Of a backfill that is made elsewhere, or was before: nothing was done here. */
export function idleSummary(
  cloud: string,
  { range, release, windowSeconds }: BackfillRequest,
  rest: Pick<BackfillSummary, 'status' | 'message'> & Partial<BackfillSummary>,
): BackfillSummary {
  return {
    cloud,
    release: release ?? null,
    start: iso(range.start),
    end: iso(range.end),
    windows: windowsOf(range, windowSeconds).length,
    done: [],
    rows: 0,
    bytes: 0,
    maskingScope: null,
    alreadyPublished: [],
    leftToOther: [],
    beforeHistory: [],
    sourceFrom: null,
    left: [],
    next: null,
    ...rest,
  };
}

/** Windows that follow each other as one interval: `2025-01-01T00:00:00Z/2025-03-01T00:00:00Z`. */
export function intervals(windows: readonly Window[]): string[] {
  const joined: Window[] = [];
  for (const window of windows) {
    const last = joined.at(-1);
    if (last?.end === window.start) joined[joined.length - 1] = { start: last.start, end: window.end };
    else joined.push(window);
  }
  return joined.map(windowText);
}
