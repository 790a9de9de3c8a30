import type { Settings } from '../config/settings.ts';
import type { WindowSummary } from '../drop/window-summary.ts';
import { intervals, windowText, windowsOf } from '../core/window.ts';
import type { BackfillPlan } from './plan.ts';
import type { BackfillRequest } from './request.ts';
import type { BackfillProgress } from './run.ts';

/** What a backfill answers. */
export interface BackfillSummary {
  readonly cloud: string;
  /**
   * `published`: everything is done. `unfinished`: some windows are left; ask again. `started`: by the state machine.
   * `planned`: a dry run.
   */
  readonly status: 'published' | 'unfinished' | 'started' | 'planned';
  /** As one interval; below, so are windows that follow each other. */
  readonly range: string;
  /** In the range. */
  readonly windows: number;
  /** Those made here, and their rows. */
  readonly done: readonly WindowSummary[];
  readonly rows: number;
  /** How many were published before, and left alone. */
  readonly alreadyPublished: number;
  /** Older than everything that the source still has. */
  readonly beforeHistory: readonly string[];
  /** About how many events of the range the source has purged; null if that cannot be told. */
  readonly purged: number | null;
  /** Not made yet. */
  readonly left: readonly string[];
  /** Of a dry run: about how many events the source has of the windows; null if that cannot be told. */
  readonly expected?: number | null;
  readonly execution?: { readonly arn: string; readonly watch: string };
  readonly message: string;
}

/** Completes an answer with empty fields. */
export function summaryOf(
  { cloud }: Pick<Settings, 'cloud'>,
  { range, windowSeconds }: Pick<BackfillRequest, 'range' | 'windowSeconds'>,
  answer: Pick<BackfillSummary, 'status' | 'message'> & Partial<BackfillSummary>,
  plan?: BackfillPlan,
): BackfillSummary {
  const purged = plan?.purged ?? null;
  const also = purged ? `; about ${purged} event(s) of the range are purged` : '';
  return {
    cloud,
    range: windowText(range),
    windows: windowsOf(range, windowSeconds).length,
    done: [],
    rows: 0,
    alreadyPublished: plan?.published.length ?? 0,
    beforeHistory: intervals(plan?.beforeHistory ?? []),
    purged,
    left: [],
    ...answer,
    message: answer.message + also,
  };
}

/** The answer for a complete release. Names its range, because the one that was asked for may have been wider. */
export function summarizeComplete(settings: Settings, request: BackfillRequest): BackfillSummary {
  const message = `the release of ${windowText(request.range)} is complete`;
  return summaryOf(settings, request, { status: 'published', message });
}

/** The answer of a dry run. */
export function summarizePlan(settings: Settings, request: BackfillRequest, plan: BackfillPlan) {
  const { due, events: expected } = plan;
  const about = expected === null ? '' : `, with about ${expected} event(s)`;
  const message = `${due.length} window(s) would be published${about}`;
  return summaryOf(settings, request, { status: 'planned', message, expected, left: intervals(due) }, plan);
}

/** The answer of a backfill that was made in this process. */
export function summarizeRun(
  settings: Settings,
  request: BackfillRequest,
  plan: BackfillPlan,
  { done, left }: Pick<BackfillProgress, 'done' | 'left'>,
): BackfillSummary {
  const [published, gone] = [plan.published.length, plan.beforeHistory.length];
  const message =
    `${done.length} window(s) published` +
    (published > 0 ? `, ${published} were already` : '') +
    (gone > 0 ? `; the source no longer has ${gone} window(s)` : '') +
    (left.length > 0 ? `; ${left.length} left, because time is over or another run has them: ask again` : '');
  const status = left.length > 0 ? 'unfinished' : 'published';
  const rows = done.reduce((total, window) => total + (window.rows ?? 0), 0);
  return summaryOf(settings, request, { status, message, done, rows, left: intervals(left) }, plan);
}
