import type { Context } from 'aws-lambda';
import { runBackfill } from '../lib/backfill/backfill.ts';
import { besideSchedule } from '../lib/backfill/plan.ts';
import { readRequest, settingsFor } from '../lib/backfill/request.ts';
import { isLong, startExecution } from '../lib/backfill/start-execution.ts';
import type { BackfillSummary } from '../lib/backfill/summary.ts';
import { type DoorContext, enter } from '../lib/door.ts';
import { refreshIndex } from '../lib/drop/index-page.ts';
import { whereDropsLie } from '../lib/drop/where.ts';
import { keepHeapSmall } from '../lib/heap.ts';
import { openInvocation } from '../lib/open-invocation.ts';
import { readSettings } from '../lib/settings.ts';

keepHeapSmall();

/** The door of a backfill: publishes past windows here and now, or hands a long range to the state machine. */
export function handler(
  event: unknown,
  context: DoorContext & Pick<Context, 'memoryLimitInMB'>,
): Promise<BackfillSummary> {
  return enter(context, async ({ clients, deadline, log }) => {
    const deployed = readSettings(process.env);
    const asked = readRequest(event, deployed, Math.floor(Date.now() / 1000));
    const where = whereDropsLie(deployed, clients, deadline.signal);
    const { request, checkpoint } = await besideSchedule(where, asked);
    const settings = settingsFor(request, deployed);
    if (isLong(request, settings)) return startExecution(request, settings, deadline.signal);
    using invocation = await openInvocation(settings, clients, deadline.signal, log);

    const summary = await runBackfill(invocation, request, {
      remaining: () => deadline.remaining(),
      megabytes: Number(context.memoryLimitInMB),
      checkpoint,
    });
    if (summary.done.length > 0) await refreshIndex(invocation, request.range.end);
    log(summary.message, { summary });
    return summary;
  });
}
