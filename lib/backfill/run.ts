import { DeadlineError, SupersededError } from '../core/errors.ts';
import { type Window, windowText } from '../core/window.ts';
import { isDecided, readClaim } from '../drop/claim.ts';
import { finishWindow } from '../drop/finish.ts';
import type { Invocation } from '../drop/invocation.ts';
import { publishWindow } from '../drop/publish-window.ts';
import { type WindowSummary, windowSummary } from '../drop/window-summary.ts';
import { readAgain } from '../drop/read-again.ts';
import type { WindowRows } from '../drop/write-drop.ts';
import { SAFETY } from '../runtime/deadline.ts';
import type { TableStates } from '../source/source.ts';
import type { BackfillPlan } from './plan.ts';
import { openRange } from './range.ts';
import type { BackfillRequest } from './request.ts';
import { statesAt } from './states.ts';

/** What a run has done of a plan. */
export interface BackfillProgress {
  readonly done: readonly WindowSummary[];
  /** The due windows that are not done: time is over, or another run is at work on them. */
  readonly left: readonly Window[];
  readonly isTimeOver: boolean;
}

/**
 * Publishes the due windows of a plan in one pass over the source, all with the masks of this invocation, as long as
 * time remains.
 *
 * @param remaining milliseconds until the invocation has to be done
 * @param planned the states of the range; undefined if nobody has looked back for it
 * @throws DeadlineError if not even one window could be published in time
 */
export async function runBackfill(
  invocation: Invocation,
  { range }: Pick<BackfillRequest, 'range'>,
  { due, sourceFrom }: BackfillPlan,
  remaining: () => number,
  planned?: TableStates,
): Promise<BackfillProgress> {
  const { signal, log } = invocation;
  const done: WindowSummary[] = [];
  const left = new Set(due);
  const progress = (isTimeOver: boolean): BackfillProgress => ({ done, left: [...left], isTimeOver });
  const [first, last] = [due[0], due.at(-1)];
  if (first === undefined || last === undefined) return progress(false);
  // What was planned is for the whole range.
  const whole = planned === undefined ? { start: first.start, end: last.end } : range;
  const lookBack = async (): Promise<TableStates> =>
    planned ?? (await statesAt(invocation, [whole]))[0] ?? {};
  const counted = await readAgain(invocation, () => invocation.source.purged(due, signal));
  const purged = new Map(due.map((window, nth) => [window.start, counted[nth] ?? null]));
  await using reader = openRange(invocation, whole, lookBack, { sourceFrom, purged });
  let longest = 0;
  try {
    for (const [nth, window] of due.entries()) {
      if (longest * SAFETY > remaining()) return progress(true);
      invocation.progress?.due(due.length - nth, window);
      const began = performance.now();
      const made = await publishPast(invocation, window, () => reader.read(window));
      const milliseconds = performance.now() - began;
      // The first one also waits for the source: for all that the API has of the range.
      if (window !== first) longest = Math.max(longest, milliseconds);
      if (made === undefined) continue;
      const summary = windowSummary(window, made.result, made.status, milliseconds);
      log('window done', { ...summary });
      done.push(summary);
      left.delete(window);
    }
    return progress(false);
  } catch (error) {
    if (!(signal.aborted && signal.reason instanceof DeadlineError)) throw error;
    if (done.length > 0) return progress(true);
    throw timeOver(first);
  }
}

export function timeOver(window: Window): DeadlineError {
  return new DeadlineError(
    `the invocation's time was over before window ${windowText(window)} was published; ` +
      'ask for fewer windows at once, or give the function more time or memory',
  );
}

/** Publishes one window of a backfill or release; undefined if another run has taken it over. */
async function publishPast(invocation: Invocation, window: Window, read: () => Promise<WindowRows>) {
  const { layout, run } = invocation;
  const claim = layout.windowClaim(window);
  const found = await readClaim(invocation, claim);
  try {
    if (found !== undefined && isDecided(found.claim))
      return { result: await finishWindow(invocation, run, found.claim), status: 'resumed' } as const;
    const result = await publishWindow(invocation, { window, claim, found, read });
    return { result, status: 'published' } as const;
  } catch (error) {
    if (error instanceof SupersededError) return undefined;
    throw error;
  }
}
