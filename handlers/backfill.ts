import type { Context } from 'aws-lambda';
import { openAwsClients } from '../lib/aws-clients.ts';
import { runBackfill } from '../lib/backfill/backfill.ts';
import { readRequest } from '../lib/backfill/request.ts';
import type { BackfillSummary } from '../lib/backfill/summary.ts';
import { createDeadline } from '../lib/deadline.ts';
import { keepHeapSmall } from '../lib/heap.ts';
import { openInvocation } from '../lib/open-invocation.ts';
import { readSettings } from '../lib/settings.ts';
import { logFailure, logger } from '../lib/telemetry.ts';

keepHeapSmall();

/** The door of a backfill: publishes past windows, here and now. */
export async function handler(
  event: unknown,
  context: Pick<Context, 'getRemainingTimeInMillis' | 'awsRequestId' | 'memoryLimitInMB'>,
): Promise<BackfillSummary> {
  logger.appendKeys({ requestId: context.awsRequestId });
  try {
    const deployed = readSettings(process.env);
    const request = readRequest(event, deployed, Math.floor(Date.now() / 1000));
    const settings = { ...deployed, formats: request.formats ?? deployed.formats };
    using deadline = createDeadline(context.getRemainingTimeInMillis());
    using clients = openAwsClients();
    const log = (message: string, fields = {}): void => logger.info(message, fields);
    using invocation = await openInvocation(settings, clients, deadline.signal, log);

    const summary = await runBackfill(invocation, request, {
      remaining: () => deadline.remaining(),
      megabytes: Number(context.memoryLimitInMB),
    });
    logger.info(summary.message, { summary });
    return summary;
  } catch (error) {
    logFailure(error);
    throw error;
  }
}
