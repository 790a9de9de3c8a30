import { type StoredCheckpoint, readCheckpoint } from '../drop/checkpoint.ts';
import { type Claim, type DecidedClaim, isDecided, readClaim } from '../drop/claim.ts';
import { refuseUnfit } from '../drop/fitness.ts';
import { type WindowResult, finishWindow } from '../drop/finish.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { WindowRows } from '../drop/write-drop.ts';
import { publishWindow } from '../drop/publish-window.ts';
import { type ScheduledTrace, createTrace, readTrace } from '../drop/trace.ts';
import { DeadlineError, InputError, StoreError, SupersededError } from '../core/errors.ts';
import { SAFETY } from '../runtime/deadline.ts';
import { inOrder } from '../source/order.ts';
import { type WindowSummary, isNew, windowSummary } from '../drop/window-summary.ts';
import { type ScheduleProgress, type ScheduleSummary, summarize } from './summary.ts';
import { instanceEvents } from '../tables/instance-events/table.ts';
import type { Seconds } from '../core/time.ts';
import { type Window, lastSettledWindow, settledWindows, windowText } from '../core/window.ts';

/**
 * Publishes the due windows while time remains: from the checkpoint up to the last window that is settled at the
 * scheduled time. A trace without a checkpoint starts at its `begin`. A new trace begins with the last settled window.
 *
 * @param remaining milliseconds until the invocation has to be done
 * @throws DeadlineError if not even one window could be published in time
 */
export async function runSchedule(
  invocation: Invocation,
  scheduledTime: Seconds,
  remaining: () => number,
): Promise<ScheduleSummary> {
  const { settings, signal } = invocation;
  const progress: ScheduleProgress = { done: [], due: [], begin: null, watermark: null, openEvents: null };
  const answer = (status: ScheduleSummary['status']): ScheduleSummary =>
    summarize(settings.cloud, scheduledTime, status, progress);
  try {
    const { trace, isBegunHere } = await scheduledTrace(invocation, scheduledTime);
    progress.begin = trace.begin;
    return answer(await catchUp(invocation, trace, isBegunHere, scheduledTime, remaining, progress));
  } catch (error) {
    if (error instanceof SupersededError) return answer('superseded');
    if (!(signal.aborted && signal.reason instanceof DeadlineError)) throw error;
    if (progress.done.some(isNew)) return answer('unfinished');
    const [window] = progress.due;
    throw new DeadlineError(
      `the invocation's time was over before ${window === undefined ? 'anything' : `window ${windowText(window)}`} ` +
        'was published; the next run takes it up. Give the function more time or memory, or make windows shorter',
      { cause: error },
    );
  }
}

/** The trace that this run continues, or begins. */
async function scheduledTrace(
  invocation: Invocation,
  scheduledTime: Seconds,
): Promise<{ readonly trace: ScheduledTrace; readonly isBegunHere: boolean }> {
  const { settings } = invocation;
  const found = await readTrace(invocation);
  const trace = found ?? (await beginTrace(invocation, lastSettledWindow(scheduledTime, settings).start));
  if (trace.kind === 'scheduled') return { trace, isBegunHere: found === undefined };
  throw new InputError(
    `STAR_CLOUD: got "${settings.cloud}", which is a release; accepted: a name that no release has`,
  );
}

async function beginTrace(invocation: Invocation, begin: Seconds): ReturnType<typeof createTrace> {
  const { settings, log } = invocation;
  await refuseUnfit(invocation, undefined);
  log('trace begun', { begin });
  return createTrace(invocation, settings.cloud, {
    kind: 'scheduled',
    begin,
    windowSeconds: settings.windowSeconds,
  });
}

async function catchUp(
  invocation: Invocation,
  trace: ScheduledTrace,
  isBegunHere: boolean,
  scheduledTime: Seconds,
  remaining: () => number,
  progress: ScheduleProgress,
): Promise<'published' | 'upToDate' | 'unfinished'> {
  const { layout, settings, run } = invocation;
  let longest = 0;
  // A run that has begun the trace has just asked.
  let isChecked = isBegunHere;
  for (;;) {
    // In this order: if the claim can be taken later, the checkpoint has not moved since.
    const found = await readClaim(invocation, layout.claim);
    const from = await readCheckpoint(invocation);
    refuseOtherSource(from, invocation);
    progress.watermark = from?.checkpoint.window.end ?? null;
    progress.due = settledWindows(progress.watermark ?? trace.begin, scheduledTime, settings);
    const started = performance.now();
    const note = (of: Window, result: WindowResult, status: WindowSummary['status']): void => {
      longest = Math.max(longest, performance.now() - started);
      noteWindow(invocation, progress, of, result, status, performance.now() - started);
    };

    if (found !== undefined && isPending(found.claim, progress.watermark)) {
      note(found.claim.window, await finishWindow(invocation, run, found.claim), 'resumed');
      continue;
    }
    const [window] = progress.due;
    if (window === undefined) return progress.done.some(isNew) ? 'published' : 'upToDate';
    if (longest * SAFETY > remaining()) return 'unfinished';
    // Once a run, and in every run: what a clock that is ahead calls settled is not.
    if (!isChecked) await refuseUnfit(invocation, trace);
    isChecked = true;
    invocation.progress?.due(progress.due.length, window);
    const read = (): Promise<WindowRows> => readWindow(invocation, window, from, remaining);
    const task = { window, claim: layout.claim, found, continues: { from }, read };
    note(window, await publishWindow(invocation, task), 'published');
  }
}

/**
 * Opens a window for reading. Every table continues from its state in the checkpoint.
 *
 * @param remaining milliseconds until the invocation has to be done; half of it is kept for what has to be read
 */
async function readWindow(
  { source, settings, signal, progress }: Invocation,
  window: Window,
  from: StoredCheckpoint | undefined,
  remaining: () => number,
): Promise<WindowRows> {
  const { openHorizonSeconds, settleSeconds } = settings;
  const opened = await source.open(signal);
  const half = remaining() / 2;
  const tables = Object.entries(from?.checkpoint.tables ?? {});
  const others = Object.fromEntries(tables.map(([name, { state }]) => [name, state]));
  return {
    of({ name, order }) {
      // A table that was added later has its first run now.
      const { begin = window.start, state } = from?.checkpoint.tables[name] ?? {};
      const told = progress === undefined ? {} : { progress: progress.rows };
      const request = {
        window,
        begin,
        state,
        others,
        openHorizonSeconds,
        settleSeconds,
        whole: false,
        hasTime: () => remaining() >= half,
        ...told,
      };
      return inOrder(opened.read(name, request), order);
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

/** Whether the claim holds a drop that an earlier run decided and did not finish. */
function isPending(claim: Claim, watermark: Seconds | null): claim is DecidedClaim {
  return isDecided(claim) && claim.window.end > (watermark ?? -Infinity);
}

function noteWindow(
  invocation: Invocation,
  progress: ScheduleProgress,
  window: Window,
  result: WindowResult,
  status: WindowSummary['status'],
  milliseconds: number,
): void {
  if (result.status === 'published') {
    progress.openEvents = result.manifest.tables[instanceEvents.name]?.counts.stillOpen ?? null;
    progress.watermark = window.end;
  }
  progress.due = progress.due.filter(({ start }) => start >= window.end);
  const summary = windowSummary(window, result, status, milliseconds);
  progress.done.push(summary);
  invocation.log('window done', { ...summary });
}

/** One kind of source cannot use the state of another, and would start over without telling. */
function refuseOtherSource(stored: StoredCheckpoint | undefined, { source, layout }: Invocation): void {
  const other = Object.values(stored?.checkpoint.tables ?? {}).find((table) => table.source !== source.kind);
  if (other === undefined) return;
  throw new StoreError(
    `checkpoint: ${layout.checkpoint}: source: the last window came from the ${other.source}, but the secret opens the ` +
      `${source.kind}; continue with that, or begin a new trace under another cloud name or prefix`,
  );
}
