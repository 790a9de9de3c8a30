import { type DoorContext, enter } from '../lib/door.ts';
import { refreshIndex } from '../lib/drop/index-page.ts';
import { keepHeapSmall } from '../lib/heap.ts';
import { openInvocation } from '../lib/open-invocation.ts';
import { runSchedule } from '../lib/schedule.ts';
import { readSettings } from '../lib/settings.ts';
import type { ScheduleSummary } from '../lib/summary.ts';
import { publishMetrics } from '../lib/telemetry.ts';
import { parseInstant } from '../lib/time.ts';
import { scheduledTime } from '../lib/trigger.ts';

keepHeapSmall();

/** Publishes what is due at the event's scheduled time and answers what it did. */
export function handler(event: unknown, context: DoorContext): Promise<ScheduleSummary> {
  const started = performance.now();
  return enter(context, async ({ clients, deadline, log }) => {
    const settings = readSettings(process.env);
    const time = scheduledTime(event, Date.now() / 1000);
    using invocation = await openInvocation(settings, clients, deadline.signal, log);

    const summary = await runSchedule(invocation, time, () => deadline.remaining());
    const published = parseInstant(summary.watermark ?? '');
    if (published !== undefined) await refreshIndex(invocation, published);
    log(summary.message, { summary });
    publishMetrics(summary, (performance.now() - started) / 1000);
    return summary;
  });
}
