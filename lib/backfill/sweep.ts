import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { InputError, StoreError } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { type SecretPlace, destroySecret, executionsWithSecret } from './masking-secret.ts';

/**
 * Destroys masking secrets of executions that are not at work any more: the event that should have told of their end
 * may be lost.
 *
 * @returns how many
 * @throws StoreError where Step Functions does not say how an execution stands
 */
export async function sweepSecrets(place: SecretPlace, { backfillMachine }: Settings): Promise<number> {
  if (backfillMachine === undefined) {
    throw new InputError('STAR_BACKFILL_MACHINE: got nothing; accepted: the ARN of a state machine');
  }
  const client = new SFNClient();
  let destroyed = 0;
  try {
    for (const execution of await executionsWithSecret(place)) {
      if (await isAtWork(client, backfillMachine, execution, place.signal)) continue;
      await destroySecret(place, execution);
      destroyed++;
    }
    return destroyed;
  } finally {
    client.destroy();
  }
}

async function isAtWork(
  client: SFNClient,
  machine: string,
  execution: string,
  signal: AbortSignal,
): Promise<boolean> {
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
  }
}
