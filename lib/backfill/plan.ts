import type { Invocation } from '../drop/invocation.ts';
import { HistoryGoneError, InputError } from '../core/errors.ts';
import { publishedWithin } from '../drop/published.ts';
import { readAgain } from '../drop/read-again.ts';
import type { Trace } from '../drop/trace.ts';
import { type Seconds, iso } from '../core/time.ts';
import { type Window, windowKey, windowText, windowsOf } from '../core/window.ts';
import type { BackfillRequest } from './request.ts';

/** What a backfill would do, window by window. */
export interface BackfillPlan {
  /** In the range. */
  readonly windows: number;
  /** To be made. */
  readonly due: readonly Window[];
  /** Left as they are. */
  readonly published: readonly Window[];
  /** Older than anything that the source still has: the beginning of the range, or nothing. */
  readonly beforeHistory: readonly Window[];
  readonly sourceFrom: Seconds | null;
  /** Events of the due windows that the source has, about; null where it cannot tell beforehand. */
  readonly events: number | null;
}

/** Looks at what is published and at how far back the source goes. Writes nothing. */
export async function planBackfill(
  invocation: Invocation,
  { range, windowSeconds }: Pick<BackfillRequest, 'range' | 'windowSeconds'>,
): Promise<BackfillPlan> {
  const { source, signal } = invocation;
  const windows = windowsOf(range, windowSeconds);
  const keys = new Set<string>();
  for await (const window of publishedWithin(invocation, range)) keys.add(windowKey(window));
  const isPublished = (window: Window): boolean => keys.has(windowKey(window));

  const history = await readAgain(invocation, () => source.history(range, signal));
  const isGone = ({ end }: Window): boolean => end <= (history.from ?? Infinity);
  const due = windows.filter((window) => !isGone(window) && !isPublished(window));
  return {
    windows: windows.length,
    due,
    published: windows.filter(isPublished),
    beforeHistory: windows.filter((window) => isGone(window) && !isPublished(window)),
    sourceFrom: history.from,
    events: history.events === null ? null : Math.round((history.events * due.length) / windows.length),
  };
}

/**
 * Refuses what can never be made whole: a release of which the source has nothing, and windows that a release was
 * begun with, or a worker was given, and that the source has purged since.
 *
 * @param trace undefined where nobody has begun it
 * @throws InputError, HistoryGoneError
 */
export function refuseGone(
  { release, range }: BackfillRequest,
  { due, beforeHistory, sourceFrom }: BackfillPlan,
  trace: Trace | undefined,
): void {
  const [gone] = beforeHistory;
  if (gone === undefined) return;
  if (trace?.kind === 'release') throw historyGone(gone, release);
  if (release === undefined || due.length > 0) return;
  const back = sourceFrom === null ? 'is empty' : `goes back to ${iso(sourceFrom)}`;
  throw new InputError(
    `event: end: got the range ${windowText(range)}, of which the source has nothing: it ${back}; ` +
      'accepted: a range that ends after that',
  );
}

export function historyGone(window: Window, release: string | undefined): HistoryGoneError {
  return new HistoryGoneError(
    `window ${windowText(window)}: the source has purged it since the backfill was planned; ask for a later range` +
      (release === undefined ? '' : ' under another name, or delete the incomplete release’s folder first'),
  );
}
