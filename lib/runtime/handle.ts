import type { Context } from 'aws-lambda';
import { type AwsClients, openAwsClients } from './aws-clients.ts';
import { type Deadline, createDeadline } from './deadline.ts';
import type { Log } from '../core/log.ts';
import { StarError, tellable } from '../core/errors.ts';
import { keepHeapSmall } from './heap.ts';
import { logFailure, logger } from './telemetry.ts';

// Before anything is read.
keepHeapSmall();

/** What a handler needs of its context. */
export type HandlerContext = Pick<Context, 'getRemainingTimeInMillis' | 'awsRequestId'>;

export interface Runtime {
  readonly clients: AwsClients;
  readonly deadline: Deadline;
  readonly log: Log;
}

/** What all handlers have in common: a deadline, clients for one invocation, and a log line for a failure. */
export async function runHandler<T>(
  context: HandlerContext,
  work: (runtime: Runtime) => Promise<T>,
): Promise<T> {
  // One logger for each invocation, so that every line has the id of its invocation even if several run at once.
  const own = logger.createChild({ persistentKeys: { requestId: context.awsRequestId } });
  using deadline = createDeadline(context.getRemainingTimeInMillis());
  try {
    using clients = openAwsClients();
    return await work({ clients, deadline, log: (message, fields = {}) => own.info(message, fields) });
  } catch (error) {
    const told = tellable(causeOf(error, deadline.signal));
    logFailure(own, told);
    throw told;
  }
}

/** Errors of libraries after the deadline explain nothing; the deadline's error does. */
function causeOf(error: unknown, { aborted, reason }: AbortSignal): unknown {
  return aborted && !(error instanceof StarError) ? reason : error;
}
