import { randomBytes } from 'node:crypto';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { InputError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import { askStepFunctions } from '../runtime/step-functions.ts';
import { windowText } from '../core/window.ts';
import type { BackfillRequest } from './request.ts';
import { type BackfillSummary, summaryOf } from './summary.ts';

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
  const what = 'start the state machine of backfills';
  const started = await askStepFunctions(what, signal, (client, how) => client.send(command, how));
  const arn = started.executionArn ?? '';
  return summaryOf(settings, request, {
    status: 'started',
    left: [windowText(range)],
    execution: { arn, watch: `aws stepfunctions describe-execution --execution-arn ${arn}` },
    message: 'the state machine is at work',
  });
}
