import { DescribeExecutionCommand, paginateListExecutions } from '@aws-sdk/client-sfn';
import { InputError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import { askStepFunctions } from '../runtime/step-functions.ts';
import { DAY, type Seconds } from '../core/time.ts';
import { type SecretOwner, type SecretPlace, destroySecret, listSecrets, ownerOf } from './masking-secret.ts';

/** After this time a secret is destroyed, even if an execution still uses it. */
const LONGEST_LIFE: Seconds = 30 * DAY;

/**
 * Destroys the secrets that no execution needs.
 *
 * @param only the owner whose execution was stopped; undefined for the daily sweep, which makes up for lost events
 * @returns how many it destroyed
 * @throws StoreError if Step Functions refuses to answer
 */
export async function sweepSecrets(
  secrets: SecretPlace,
  settings: Settings,
  only?: SecretOwner,
): Promise<number> {
  const found = await listSecrets(secrets);
  // In this order, because an execution runs before it makes its secret.
  const needed = await ownersAtWork(settings, secrets.signal, only !== undefined);
  const oldest = Date.now() / 1000 - LONGEST_LIFE;
  const idle = [...found].filter(
    ([owner, made]) => (only ?? owner) === owner && (made <= oldest || !needed.has(owner)),
  );
  for (const [owner] of idle) await destroySecret(secrets, owner);
  return idle.length;
}

/** The owners whose executions run, or have failed and can be finished. */
async function ownersAtWork(
  { backfillMachine: stateMachineArn }: Settings,
  signal: AbortSignal,
  isStopped: boolean,
): Promise<Set<SecretOwner>> {
  if (stateMachineArn === undefined)
    throw new InputError('STAR_BACKFILL_MACHINE: got nothing; accepted: the ARN of a state machine');
  const owners = new Set<SecretOwner>();
  await askStepFunctions('ask Step Functions about executions', signal, async (client, how) => {
    // One list of all, because lists by status could miss an execution that is redriven between them.
    for await (const { executions = [] } of paginateListExecutions({ client }, { stateMachineArn }, how))
      for (const { executionArn, status } of executions) {
        // A stopped execution could be redriven, but its operator did not want it.
        if (status === 'SUCCEEDED' || status === 'ABORTED') continue;
        const command = new DescribeExecutionCommand({ executionArn });
        const { name = '', input, redriveStatus } = await client.send(command, how);
        const release = releaseIn(input);
        const canGoOn = status === 'RUNNING' || redriveStatus !== 'NOT_REDRIVABLE';
        // A new execution of a failed release uses its secret, unless the operator has stopped the release.
        if (canGoOn || (release !== undefined && !isStopped)) owners.add(ownerOf(release, name));
      }
  });
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
