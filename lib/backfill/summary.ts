import type { WindowSummary } from '../summary.ts';
import { iso } from '../time.ts';
import { type Window, windowText } from '../window.ts';
import type { Estimate } from './estimate.ts';
import type { BackfillPlan } from './plan.ts';
import { type BackfillRequest, eventOf } from './request.ts';

/** What a backfill answers. */
export interface BackfillSummary {
  readonly cloud: string;
  /**
   * `published`: all is done. `unfinished`: time ran out; send `next`. `started`: the state machine is at work.
   * `planned`: a dry run.
   */
  readonly status: 'published' | 'unfinished' | 'started' | 'planned';
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
  /** Published before, and left alone. */
  readonly alreadyPublished: readonly string[];
  /** Another run was at work on these; they are published by that, or by asking again. */
  readonly leftToOther: readonly string[];
  /** Older than anything that the source still has; runs of windows as one interval. */
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

/** How one ends that is made here and now. */
export type EndStatus = Exclude<BackfillSummary['status'], 'started'>;

/** What is known at any moment, also at that of a deadline. */
export interface BackfillProgress {
  readonly plan: BackfillPlan;
  readonly done: BackfilledWindow[];
  left: readonly Window[];
}

export function summarizeBackfill(
  cloud: string,
  request: BackfillRequest,
  status: EndStatus,
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
    start: iso(request.range.start),
    end: iso(request.range.end),
    windows: plan.windows,
    done,
    rows: made.reduce((total, { rows = 0 }) => total + rows, 0),
    bytes: made.reduce((total, { bytes = 0 }) => total + bytes, 0),
    maskingScope: made.length > 0 ? maskingScope : null,
    alreadyPublished: [...intervals(plan.published), ...of('alreadyPublished')],
    leftToOther: of('leftToOther'),
    beforeHistory: intervals(plan.beforeHistory),
    sourceFrom: plan.sourceFrom === null ? null : iso(plan.sourceFrom),
    left: intervals(left),
    next:
      first === undefined || last === undefined
        ? null
        : nextEvent(request, { start: first.start, end: last.end }),
    message,
  };
}

/**
 * The rest of the range. Of one that is replaced it is all of it again, for what is left may not be parted from what
 * was before (late events); what has been made anew bears the replacement's id.
 */
function nextEvent(request: BackfillRequest, rest: Window): object {
  if (request.replace) return eventOf(request, request.range);
  return eventOf(request, rest);
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
