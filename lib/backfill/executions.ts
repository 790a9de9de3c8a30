import { DescribeExecutionCommand, ListExecutionsCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { InputError, StoreError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import { openStepFunctions } from '../runtime/step-functions.ts';
import { DAY, type Seconds } from '../core/time.ts';
import { type SecretOwner, type SecretPlace, destroySecret, listSecrets, ownerOf } from './masking-secret.ts';

/** After so long a secret is destroyed, whatever may still be redriven. */
const LONGEST_LIFE: Seconds = 30 * DAY;

/**
 * Destroys the secrets that nothing needs any more.
 *
 * @param owners undefined for all: the event that should have told of a stop may be lost
 * @returns how many
 * @throws StoreError where Step Functions does not answer as it should
 */
export async function sweepSecrets(
  secrets: SecretPlace,
  settings: Settings,
  owners?: readonly SecretOwner[],
): Promise<number> {
  const { signal } = secrets;
  const client = openStepFunctions();
  try {
    const found: { readonly owner: SecretOwner; readonly made: Seconds }[] = [];
    for await (const secret of listSecrets(secrets))
      if (owners?.includes(secret.owner) !== false) found.push(secret);
    // Asked afterwards: an execution runs before it makes its secret.
    const needed = await ownersAtWork(client, settings, signal);
    const oldest = Date.now() / 1000 - LONGEST_LIFE;
    const idle = found.filter(({ owner, made }) => made <= oldest || !needed.has(owner));
    for (const { owner } of idle) await destroySecret(secrets, owner);
    return idle.length;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StoreError || error instanceof InputError) throw error;
    const name = error instanceof Error ? error.name : '';
    throw new StoreError(`could not ask Step Functions about executions: ${name}`, { cause: error });
  } finally {
    client.destroy();
  }
}

/** Whose secrets are used by executions that go on, or can be redriven. */
async function ownersAtWork(
  client: SFNClient,
  { backfillMachine: stateMachineArn }: Settings,
  signal: AbortSignal,
): Promise<Set<SecretOwner>> {
  if (stateMachineArn === undefined)
    throw new InputError('STAR_BACKFILL_MACHINE: got nothing; accepted: the ARN of a state machine');
  const owners = new Set<SecretOwner>();
  // All in one list: between lists by status an execution that is redriven could be missed.
  for (let nextToken: string | undefined; ;) {
    const command = new ListExecutionsCommand({ stateMachineArn, ...(nextToken && { nextToken }) });
    const page = await client.send(command, { abortSignal: signal });
    for (const { executionArn, status } of page.executions ?? []) {
      // A stopped one could be redriven too, but its operator did not want it.
      if (status === 'SUCCEEDED' || status === 'ABORTED') continue;
      const describe = new DescribeExecutionCommand({ executionArn });
      const { name = '', input, redriveStatus } = await client.send(describe, { abortSignal: signal });
      // A failed one can be, for 14 days.
      if (status === 'RUNNING' || redriveStatus !== 'NOT_REDRIVABLE')
        owners.add(ownerOf(releaseIn(input), name));
    }
    nextToken = page.nextToken;
    if (nextToken === undefined) break;
  }
  return owners;
}

/** The release that an execution's input asks for. */
export function releaseIn(input: string | null | undefined): string | undefined {
  try {
    const { release } = JSON.parse(input ?? '') as { release?: unknown };
    return typeof release === 'string' ? release : undefined;
  } catch {
    return undefined;
  }
}
