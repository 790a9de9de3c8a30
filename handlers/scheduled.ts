import { type HandlerContext, runHandler } from '../lib/runtime/handle.ts';
import { loadWatch } from '../lib/report/load-watch.ts';
import { refreshIndex } from '../lib/report/refresh-index.ts';
import { openInvocation } from '../lib/drop/open-invocation.ts';
import { runSchedule } from '../lib/schedule/run-schedule.ts';
import { readSettings } from '../lib/config/settings.ts';
import type { ScheduleSummary } from '../lib/schedule/summary.ts';
import { publishMetrics } from '../lib/schedule/metrics.ts';
import { parseInstant } from '../lib/core/time.ts';
import { scheduledTime } from '../lib/schedule/scheduled-time.ts';

/** Publishes the windows that are due at the event's scheduled time. */
export function handler(event: unknown, context: HandlerContext): Promise<ScheduleSummary> {
  const started = performance.now();
  return runHandler(context, async ({ clients, deadline, log }) => {
    const settings = readSettings(process.env);
    const time = scheduledTime(event, Date.now() / 1000);
    using invocation = await openInvocation(
      settings,
      clients,
      deadline.signal,
      log,
      await loadWatch(settings),
    );

    const summary = await runSchedule(invocation, time, () => deadline.remaining());
    const published = parseInstant(summary.watermark ?? '');
    if (published !== undefined) await refreshIndex(invocation, published);
    log(summary.message, { summary });
    publishMetrics(summary, (performance.now() - started) / 1000);
    return summary;
  });
}
