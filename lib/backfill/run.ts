import type { Invocation } from '../drop/invocation.ts';
import { DeadlineError } from '../core/errors.ts';
import type { TableStates } from '../source/source.ts';
import { windowSummary } from '../drop/window-summary.ts';
import { windowText } from '../core/window.ts';
import type { BackfillPlan } from './plan.ts';
import { publishPast } from './publish.ts';
import { openRange } from './range.ts';
import type { BackfillRequest } from './request.ts';
import { type BackfillProgress, type BackfillSummary, summarizeBackfill } from './summary.ts';

/** A window may take longer than the longest so far; if even that does not fit, it is left. */
const SAFETY = 1.5;

/**
 * Publishes the due windows of a plan in one pass over the source, all with the masks of this invocation, as long as
 * time remains.
 *
 * @param remaining milliseconds until the invocation has to be done
 * @param states what the source needs to know at the start of the range, where it was planned
 * @throws DeadlineError where not even one window could be published in time
 */
export async function runBackfill(
  invocation: Invocation,
  request: BackfillRequest,
  plan: BackfillPlan,
  remaining: () => number,
  states?: TableStates,
): Promise<BackfillSummary> {
  const { settings, masking, signal } = invocation;
  const progress: BackfillProgress = { plan, done: [], left: plan.due };
  const answer = (status: 'published' | 'unfinished'): BackfillSummary =>
    summarizeBackfill(settings.cloud, request, status, progress, masking.scope);
  try {
    return answer(await publishAll(invocation, request, progress, remaining, states));
  } catch (error) {
    if (!(signal.aborted && signal.reason instanceof DeadlineError)) throw error;
    if (progress.done.length > 0) return answer('unfinished');
    const [window] = progress.left;
    throw new DeadlineError(
      `the invocation's time was over before window ${window === undefined ? '' : windowText(window)} was published; ` +
        'ask for fewer windows at once, or give the function more time or memory',
      { cause: error },
    );
  }
}

async function publishAll(
  invocation: Invocation,
  { range, windowSeconds }: BackfillRequest,
  progress: BackfillProgress,
  remaining: () => number,
  states: TableStates | undefined,
): Promise<'published' | 'unfinished'> {
  const { due, sourceFrom } = progress.plan;
  const [first, last] = [due[0], due.at(-1)];
  if (first === undefined || last === undefined) return 'published';
  // What was planned is for the start of the range.
  const whole = { start: states === undefined ? first.start : range.start, end: last.end };
  await using reader = openRange(invocation, whole, windowSeconds, states, sourceFrom);
  let longest = 0;
  for (const window of due) {
    if (longest * SAFETY > remaining()) return 'unfinished';
    const started = performance.now();
    const result = await publishPast(invocation, window, () => reader.read(window));
    const milliseconds = performance.now() - started;
    // The first one also has the source look back.
    if (progress.done.length > 0) longest = Math.max(longest, milliseconds);
    const seconds = Math.round(milliseconds) / 1000;
    progress.done.push(
      result.status === 'leftToOther'
        ? { window: windowText(window), status: result.status, seconds }
        : windowSummary(window, result, 'published', seconds),
    );
    progress.left = progress.left.filter(({ start }) => start > window.start);
    invocation.log('window done', { ...progress.done.at(-1) });
  }
  return 'published';
}
