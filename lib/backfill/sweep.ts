import { DescribeExecutionCommand, paginateListExecutions } from '@aws-sdk/client-sfn';
import { InputError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import { askStepFunctions } from '../runtime/step-functions.ts';
import { DAY, type Seconds } from '../core/time.ts';
import {
  type SecretOwner,
  type SecretPlace,
  destroySecret,
  listSecrets,
  makeSecret,
  ownerOf,
} from './masking-secret.ts';

/** After this time a secret is destroyed, even if an execution still uses it. */
const LONGEST_LIFE: Seconds = 30 * DAY;

/**
 * Destroys the secrets that no execution needs.
 *
 * @param only the owner whose execution was stopped; undefined for the daily sweep, which makes up for lost events
 * @returns how many it destroyed, and the executions that have ended and left their plans
 * @throws StoreError if Step Functions refuses to answer
 */
export async function sweepSecrets(secrets: SecretPlace, settings: Settings, only?: SecretOwner) {
  const found = await listSecrets(secrets);
  // In this order, because an execution runs before it makes its secret.
  const executions = await unfinished(settings, secrets.signal);
  const isNeeded = ({ release, isOver }: Unfinished): boolean =>
    // A new execution of a failed release uses its secret, unless the operator has stopped the release.
    !isOver || (isOver !== 'stopped' && release !== undefined && only === undefined);
  const needed = new Set(executions.filter(isNeeded).map(({ release, name }) => ownerOf(release, name)));
  const oldest = Date.now() / 1000 - LONGEST_LIFE;
  const idle = [...found].filter(
    ([owner, made]) => (only ?? owner) === owner && (made <= oldest || !needed.has(owner)),
  );
  for (const [owner] of idle) await destroySecret(secrets, owner);
  return { destroyed: idle.length, over: executions.filter(({ isOver }) => isOver !== false) };
}

/**
 * Makes a secret for a release that no run has begun. One that is there is shared with another execution that has just
 * made it; or it was left by one that has failed, and masks of a release that was deleted must not come back.
 */
export async function makeNewSecret(
  secrets: SecretPlace,
  settings: Settings,
  owner: SecretOwner,
  execution: string,
): Promise<void> {
  if (await makeSecret(secrets, owner)) return;
  const isShared = (await unfinished(settings, secrets.signal)).some(
    ({ name, release, isRunning }) => isRunning && name !== execution && ownerOf(release, name) === owner,
  );
  if (isShared) return;
  await destroySecret(secrets, owner);
  await makeSecret(secrets, owner);
}

interface Unfinished {
  readonly name: string;
  readonly release: string | undefined;
  readonly isRunning: boolean;
  /** Whether no redrive is to be expected, and why. A stopped one could be redriven, but its operator did not want it. */
  readonly isOver: false | 'stopped' | 'late';
}

/** All executions that have not succeeded. */
async function unfinished(
  { backfillMachine: stateMachineArn }: Settings,
  signal: AbortSignal,
): Promise<Unfinished[]> {
  if (stateMachineArn === undefined)
    throw new InputError('STAR_BACKFILL_MACHINE: got nothing; accepted: the ARN of a state machine');
  const found: Unfinished[] = [];
  await askStepFunctions('ask Step Functions about executions', signal, async (client, how) => {
    // One list of all, because lists by status could miss an execution that is redriven between them.
    for await (const { executions = [] } of paginateListExecutions({ client }, { stateMachineArn }, how))
      for (const { executionArn, status } of executions) {
        if (status === 'SUCCEEDED') continue;
        const command = new DescribeExecutionCommand({ executionArn });
        const { name = '', input, redriveStatus } = await client.send(command, how);
        const isRunning = status === 'RUNNING';
        const isLate = !isRunning && redriveStatus === 'NOT_REDRIVABLE' && 'late';
        found.push({
          name,
          release: releaseIn(input),
          isRunning,
          isOver: status === 'ABORTED' ? 'stopped' : isLate,
        });
      }
  });
  return found;
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
