import type { Checkpoint } from '../drop/checkpoint.ts';
import type { Invocation } from '../drop/invocation.ts';
import { DeadlineError } from '../errors.ts';
import type { SourceState } from '../source/source.ts';
import { windowSummary } from '../summary.ts';
import type { Seconds } from '../time.ts';
import { type Window, windowText } from '../window.ts';
import { dropBackfillWindow } from './drop-window.ts';
import { estimate } from './estimate.ts';
import { planBackfill } from './plan.ts';
import { type RangeReader, openRange } from './range.ts';
import { type Tie, tieOf } from './replacement.ts';
import type { BackfillRequest } from './request.ts';
import { type BackfillProgress, type BackfillSummary, type EndStatus, summarizeBackfill } from './summary.ts';
import { mayBeReplaced } from './tie-check.ts';

/** A window may take longer than the longest so far; if even that does not fit, it is left. */
const SAFETY = 1.5;

export interface BackfillOptions {
  /** Milliseconds until the invocation has to be done. */
  readonly remaining: () => number;
  /** Of the function, for the estimate. */
  readonly megabytes: number;
  /** What a schedule would have known at the start of the range, where it was planned. */
  readonly state?: SourceState | undefined;
  /** Of the schedule, as it was when the range was planned. */
  readonly checkpoint: Checkpoint | undefined;
  /** Where the range is part of a larger one that was planned as a whole: of that one; see {@link BackfillPlan}. */
  readonly ties?: readonly Tie[];
}

/**
 * Publishes the windows of a range in one pass over the source, all with the masks of this invocation, as long as
 * time remains. A dry run stops at the plan.
 *
 * @throws InputError where the range cannot be published as it is
 * @throws DeadlineError where not even one window could be published in time
 */
export async function runBackfill(
  invocation: Invocation,
  asked: BackfillRequest,
  options: BackfillOptions,
): Promise<BackfillSummary> {
  const { settings, masking, signal } = invocation;
  const isPart = options.ties !== undefined;
  const plan = await planBackfill(invocation, asked, options.checkpoint, isPart);
  const request = { ...asked, replacement: plan.replacement };
  const progress: BackfillProgress = { plan, done: [], left: plan.due };
  const answer = (status: EndStatus): BackfillSummary =>
    summarizeBackfill(settings.cloud, request, status, progress, masking.scope);
  if (request.dryRun) {
    const { events } = plan;
    const cost = events === null ? null : estimate(plan.due.length, events, settings, options.megabytes);
    return { ...answer('planned'), expected: { rows: events, cost } };
  }
  try {
    const status = await publishAll(invocation, progress, request, options);
    const left = request.replace && !isPart ? leftToOthers(progress) : [];
    if (status === 'unfinished' || left.length === 0) return answer(status);
    progress.left = left;
    return answer('unfinished');
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

/** Of a replacement: those that it has yet to make, for what others made may not go with the rest. */
function leftToOthers({ plan, done }: BackfillProgress): Window[] {
  const left = new Set(done.filter(({ status }) => status === 'leftToOther').map(({ window }) => window));
  return plan.due.filter((window) => left.has(windowText(window)));
}

async function publishAll(
  invocation: Invocation,
  progress: BackfillProgress,
  request: BackfillRequest,
  { remaining, state, checkpoint, ties = progress.plan.ties }: BackfillOptions,
): Promise<'published' | 'unfinished'> {
  const { due, sourceFrom, replacement } = progress.plan;
  const [first, last] = [due[0], due.at(-1)];
  if (first === undefined || last === undefined) return 'published';
  const making = { stand: checkpoint?.window.end ?? -Infinity, replacement };
  // What was planned is for the start of the range.
  const range = { start: state === undefined ? first.start : request.range.start, end: last.end };
  const open = (end: Seconds): RangeReader =>
    openRange(invocation, { ...range, end }, state, sourceFrom, checkpoint);
  await using reader = open(last.end);
  /** Whether the rest of a tie may be made; of those that were looked at. */
  const mayGoOn = new Map<Tie, boolean>();
  let longest = 0;
  for (const window of due) {
    if (longest * SAFETY > remaining()) return 'unfinished';
    const tie = tieOf(ties, window);
    if (tie !== undefined && !mayGoOn.has(tie)) {
      const tied = due.filter((other) => tieOf([tie], other) !== undefined);
      const from = sourceFrom ?? -Infinity;
      mayGoOn.set(tie, await mayBeReplaced(invocation, tie, tied, from, open, making));
    }
    const started = performance.now();
    const read = () => reader.read(window);
    const result =
      tie !== undefined && mayGoOn.get(tie) !== true
        ? ({ status: 'leftToOther' } as const)
        : await dropBackfillWindow(invocation, window, read, making, tie?.rewritten ?? 0);
    // The windows behind it may hold what is to be in this one.
    if (tie !== undefined && result.status === 'leftToOther') mayGoOn.set(tie, false);
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
