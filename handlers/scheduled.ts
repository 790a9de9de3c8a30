import type { Context } from 'aws-lambda';
import { openAwsClients } from '../lib/aws-clients.ts';
import { createDeadline } from '../lib/deadline.ts';
import { keepHeapSmall } from '../lib/heap.ts';
import { openInvocation } from '../lib/open-invocation.ts';
import { runSchedule } from '../lib/schedule.ts';
import { readSettings } from '../lib/settings.ts';
import type { ScheduleSummary } from '../lib/summary.ts';
import { logFailure, logger, publishMetrics } from '../lib/telemetry.ts';
import { scheduledTime } from '../lib/trigger.ts';

keepHeapSmall();

/** The door of the schedule: publishes what is due at the event's scheduled time and answers what it did. */
export async function handler(
  event: unknown,
  context: Pick<Context, 'getRemainingTimeInMillis' | 'awsRequestId'>,
): Promise<ScheduleSummary> {
  const started = performance.now();
  logger.appendKeys({ requestId: context.awsRequestId });
  try {
    const settings = readSettings(process.env);
    const time = scheduledTime(event, Date.now() / 1000);
    using deadline = createDeadline(context.getRemainingTimeInMillis());
    using clients = openAwsClients();
    const log = (message: string, fields = {}): void => logger.info(message, fields);
    using invocation = await openInvocation(settings, clients, deadline.signal, log);

    const summary = await runSchedule(invocation, time, () => deadline.remaining());
    logger.info(summary.message, { summary });
    publishMetrics(summary, (performance.now() - started) / 1000);
    return summary;
  } catch (error) {
    logFailure(error);
    throw error;
  }
}
