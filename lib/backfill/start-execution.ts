import { randomBytes } from 'node:crypto';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { InputError, StoreError, firstLine } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import { openStepFunctions } from '../runtime/step-functions.ts';
import { compactIso } from '../core/time.ts';
import { windowText, windowsOf } from '../core/window.ts';
import { type BackfillRequest, eventOf } from './request.ts';
import { type BackfillSummary, idleSummary } from './summary.ts';

/** Up to so many windows are made in the invocation itself. */
const SHORT = 31;

/** Whether a backfill is for the state machine: a release is always, for its masking secret outlives an invocation. */
export function isLong(
  { release, range, windowSeconds }: BackfillRequest,
  { backfillMachine }: Settings,
): boolean {
  if (release !== undefined) return true;
  return backfillMachine !== undefined && windowsOf(range, windowSeconds).length > SHORT;
}

/**
 * Starts an execution of the project's state machine for a range.
 *
 * @param settings of the trace
 * @throws InputError where no state machine is deployed
 * @throws StoreError where Step Functions does not take it
 */
export async function startExecution(
  request: BackfillRequest,
  settings: Settings,
  signal: AbortSignal,
): Promise<BackfillSummary> {
  const { range, release } = request;
  if (settings.backfillMachine === undefined) {
    throw new InputError(
      `event: release: got "${release}", but STAR_BACKFILL_MACHINE is not set; accepted: the state machine's ARN there`,
    );
  }
  const client = openStepFunctions();
  // A backfill without a release names its masking secret after the execution, so the name must not come again.
  const name = [release, compactIso(range.start), compactIso(range.end), randomBytes(4).toString('hex')]
    .filter((part) => part !== undefined)
    .join('-');
  try {
    const command = new StartExecutionCommand({
      stateMachineArn: settings.backfillMachine,
      name,
      input: JSON.stringify(eventOf(request)),
    });
    const { executionArn: arn = '' } = await client.send(command, { abortSignal: signal });
    return idleSummary(settings.cloud, request, {
      status: 'started',
      left: [windowText(range)],
      execution: { arn, watch: `aws stepfunctions describe-execution --execution-arn ${arn}` },
      message: 'the state machine is at work',
    });
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? `${error.name}: ${firstLine(error)}` : String(error);
    throw new StoreError(`could not start the state machine of backfills: ${reason}`, { cause: error });
  } finally {
    client.destroy();
  }
}
