import { beginTrace } from '../lib/backfill/begin-trace.ts';
import { openDeployed } from '../lib/backfill/open-request.ts';
import { planBackfill } from '../lib/backfill/plan.ts';
import { runBackfill } from '../lib/backfill/run.ts';
import { startExecution } from '../lib/backfill/start-execution.ts';
import type { BackfillSummary } from '../lib/backfill/summary.ts';
import { summarizeComplete, summarizePlan, summarizeRun } from '../lib/backfill/summary.ts';
import { windowsOf } from '../lib/core/window.ts';
import { refuseUnfit } from '../lib/drop/fitness.ts';
import { openInvocation } from '../lib/drop/open-invocation.ts';
import { loadWatch } from '../lib/report/load-watch.ts';
import { refreshIndex } from '../lib/report/refresh-index.ts';
import { type HandlerContext, runHandler } from '../lib/runtime/handle.ts';

/** The most windows that are made in the invocation itself. */
const SHORT = 31;

/** Publishes past windows here and now, or hands a long range, or a release, to the state machine. */
export function handler(event: unknown, context: HandlerContext): Promise<BackfillSummary> {
  return runHandler(context, async ({ clients, deadline, log }) => {
    const { signal } = deadline;
    const { request, settings, trace, isComplete } = await openDeployed(event, clients, signal);
    if (isComplete) return summarizeComplete(settings, request);
    const isLong = windowsOf(request.range, request.windowSeconds).length > SHORT;
    // The masking secret of a release outlives an invocation.
    const isForMachine = request.release !== undefined || (isLong && settings.backfillMachine !== undefined);
    if (isForMachine && !request.dryRun) return startExecution(event, request, settings, signal);

    using invocation = await openInvocation(settings, clients, signal, log, await loadWatch(settings));
    const plan = await planBackfill(invocation, request);
    if (request.dryRun) return summarizePlan(settings, request, plan);
    if (plan.due.length > 0) await refuseUnfit(invocation, trace);
    await beginTrace(invocation, request, plan, trace);
    const progress = await runBackfill(invocation, request, plan, () => deadline.remaining());
    if (progress.done.length > 0) await refreshIndex(invocation, request.range.end);
    const summary = summarizeRun(settings, request, plan, progress);
    log(summary.message, { summary });
    return summary;
  });
}
