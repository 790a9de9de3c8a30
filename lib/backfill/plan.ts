import type { Invocation } from '../drop/invocation.ts';
import { InputError } from '../errors.ts';
import type { Seconds } from '../time.ts';
import { iso } from '../time.ts';
import { type Window, windowKey, windowText, windowsOf } from '../window.ts';
import { lateIn, madeSince, publishedIn } from './published.ts';
import type { BackfillRequest } from './request.ts';

/** What a backfill would do, window by window. */
export interface BackfillPlan {
  readonly windows: number;
  /** To be made. */
  readonly due: readonly Window[];
  /** Left as they are. */
  readonly published: readonly Window[];
  /** Older than anything that the source still has. */
  readonly beforeHistory: readonly Window[];
  readonly sourceFrom: Seconds | null;
  /** Events of the range that the source has, as far as it can tell beforehand. */
  readonly events: number | null;
}

/**
 * Looks at what is published and at how far back the source goes.
 *
 * @param part where the range is part of a larger one: when that was planned. What was made since is not made again
 * @throws InputError where the range cannot be published as it is
 */
export async function planBackfill(
  invocation: Invocation,
  request: BackfillRequest,
  part?: { readonly planned: Seconds },
): Promise<BackfillPlan> {
  const { settings, source, signal } = invocation;
  const windows = windowsOf(request.range, settings.windowSeconds);
  const keys = await publishedIn(invocation, windows);
  const isOut = (window: Window): boolean => keys.has(windowKey(window));
  if (request.replace && part === undefined)
    await refuseToLoseLate(invocation, request.range, windows.filter(isOut));
  const isOurs =
    part === undefined || !request.replace
      ? new Set<string>()
      : await madeSince(invocation, windows.filter(isOut), part.planned);
  const isDone = (window: Window): boolean =>
    isOut(window) && (!request.replace || isOurs.has(windowKey(window)));

  const history = await source.history(request.range, signal);
  const { from } = history;
  const isGone = ({ end }: Window): boolean => from !== null && end <= from;
  return {
    windows: windows.length,
    due: windows.filter((window) => !isGone(window) && !isDone(window)),
    published: windows.filter(isDone),
    beforeHistory: windows.filter((window) => isGone(window) && !isOut(window)),
    sourceFrom: from,
    events: history.events,
  };
}

/**
 * A drop of the schedule may hold events of windows before it that came late. Made anew, every event is in its own
 * window: so the drop that held it and the one that should have must be made anew together.
 */
async function refuseToLoseLate(
  invocation: Invocation,
  range: Window,
  published: readonly Window[],
): Promise<void> {
  const { windowSeconds } = invocation.settings;
  const refuse = (window: Window, late: number, accepted: string): never => {
    throw new InputError(
      `event: replace: the published window ${windowText(window)} holds ${late} late events of earlier ones; ` +
        `accepted: ${accepted}`,
    );
  };
  const [first] = published;
  if (first?.start === range.start) {
    const late = await lateIn(invocation, first);
    if (late > 0) refuse(first, late, `a start at ${iso(range.start - windowSeconds)} or before`);
  }
  const next = { start: range.end, end: range.end + windowSeconds };
  const late = await lateIn(invocation, next);
  if (late > 0) refuse(next, late, `an end at ${iso(next.end)} or after`);
}
