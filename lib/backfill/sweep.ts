import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { InputError, StoreError } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { openStepFunctions } from '../step-functions.ts';
import { type SecretPlace, destroySecret, executionsWithSecret } from './masking-secret.ts';

/**
 * Destroys masking secrets of executions that are not at work any more: the event that should have told of their end
 * may be lost.
 *
 * @returns how many
 * @throws StoreError where Step Functions does not say how an execution stands
 */
export async function sweepSecrets(place: SecretPlace, settings: Settings): Promise<number> {
  let destroyed = 0;
  for (const execution of await executionsWithSecret(place)) {
    if (await isAtWork(settings, execution, place.signal)) continue;
    await destroySecret(place, execution);
    destroyed++;
  }
  return destroyed;
}

/** Whether an execution goes on, or has been redriven. @throws StoreError where Step Functions does not say */
export async function isAtWork(
  { backfillMachine: machine }: Settings,
  execution: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (machine === undefined) {
    throw new InputError('STAR_BACKFILL_MACHINE: got nothing; accepted: the ARN of a state machine');
  }
  const client = openStepFunctions();
  const executionArn = `${machine.replace(':stateMachine:', ':execution:')}:${execution}`;
  try {
    const command = new DescribeExecutionCommand({ executionArn });
    const { status } = await client.send(command, { abortSignal: signal });
    return status === 'RUNNING' || status === 'PENDING_REDRIVE';
  } catch (error) {
    signal.throwIfAborted();
    const name = error instanceof Error ? error.name : '';
    // Its history is kept for 90 days.
    if (name === 'ExecutionDoesNotExist') return false;
    throw new StoreError(`could not ask how execution ${execution} stands: ${name}`, { cause: error });
  } finally {
    client.destroy();
  }
}
