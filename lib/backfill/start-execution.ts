import { randomBytes } from 'node:crypto';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { InputError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import { askStepFunctions } from '../runtime/step-functions.ts';
import { windowText, windowsOf } from '../core/window.ts';
import type { BackfillRequest } from './request.ts';
import { type BackfillSummary, summaryOf } from './summary.ts';

/** The most windows that are made in the invocation itself. */
const SHORT = 31;

/** Whether the state machine makes a backfill. It makes every release, whose masking secret outlives an invocation. */
export function isLong(
  { release, range, windowSeconds }: BackfillRequest,
  { backfillMachine }: Settings,
): boolean {
  if (release !== undefined) return true;
  return backfillMachine !== undefined && windowsOf(range, windowSeconds).length > SHORT;
}

/**
 * Starts an execution of the project's state machine.
 *
 * @param event that asks for the backfill
 * @param request the same, read
 * @param settings of the trace
 * @throws InputError if no state machine is deployed
 * @throws StoreError if Step Functions refuses it
 */
export async function startExecution(
  event: unknown,
  request: BackfillRequest,
  settings: Settings,
  signal: AbortSignal,
): Promise<BackfillSummary> {
  const { range, release } = request;
  const { backfillMachine: stateMachineArn } = settings;
  if (stateMachineArn === undefined) {
    throw new InputError(
      `event: release: got "${release}", but STAR_BACKFILL_MACHINE is not set; accepted: the state machine's ARN there`,
    );
  }
  // Unique, because the masking secret of a backfill is named after its execution.
  const name = `${release ?? 'backfill'}-${randomBytes(8).toString('hex')}`;
  const command = new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(event) });
  const { executionArn: arn = '' } = await askStepFunctions(
    'start the state machine of backfills',
    signal,
    (client, how) => client.send(command, how),
  );
  return summaryOf(settings, request, {
    status: 'started',
    left: [windowText(range)],
    execution: { arn, watch: `aws stepfunctions describe-execution --execution-arn ${arn}` },
    message: 'the state machine is at work',
  });
}
