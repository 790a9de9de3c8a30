import { DescribeExecutionCommand, paginateListExecutions } from '@aws-sdk/client-sfn';
import { InputError } from '../core/errors.ts';
import { askStepFunctions } from '../runtime/step-functions.ts';
import { DAY, type Seconds } from '../core/time.ts';
import { type SecretOwner, type SecretPlace, destroySecret } from './masking-secret.ts';
import { listSecrets, makeSecret, ownerOf } from './masking-secret.ts';

/** After this time a secret is destroyed, even if an execution still uses it. */
const LONGEST_LIFE: Seconds = 30 * DAY;

/**
 * Destroys the secrets that no execution needs.
 *
 * @param isComplete whether a release is. One execution may make a secret just after another has completed it
 * @param only the owner whose execution was stopped; undefined for the daily sweep, which makes up for lost events
 * @returns how many it destroyed, and the executions that have ended and left their plans
 * @throws StoreError if Step Functions refuses to answer
 */
export async function sweepSecrets(
  secrets: SecretPlace,
  isComplete: (release: string) => Promise<boolean>,
  only?: SecretOwner,
) {
  const found = await listSecrets(secrets);
  // In this order, because an execution runs before it makes its secret.
  const executions = await unfinished(secrets);
  const isNeeded = ({ release, state }: Unfinished): boolean =>
    // A new execution of a failed release uses its secret, unless the operator has stopped the release.
    state === 'late' ? release !== undefined && only === undefined : state !== 'stopped';
  const needed = new Map(executions.filter(isNeeded).map(({ owner, release }) => [owner, release]));
  for (const [owner, release] of needed)
    if (release !== undefined && found.has(owner) && (await isComplete(release))) needed.delete(owner);
  const oldest = Date.now() / 1000 - LONGEST_LIFE;
  const idle = [...found].filter(
    ([owner, made]) => (only ?? owner) === owner && (made <= oldest || !needed.has(owner)),
  );
  for (const [owner] of idle) await destroySecret(secrets, owner);
  const over = executions.filter(({ state }) => state === 'stopped' || state === 'late');
  return { destroyed: idle.length, over };
}

/**
 * Makes a secret for a release that no run has begun. One that is there is shared with another execution that has just
 * made it; or it was left by one that has failed, and masks of a release that was deleted must not come back.
 */
export async function makeNewSecret(secrets: SecretPlace, owner: SecretOwner, execution: string) {
  if (await makeSecret(secrets, owner)) return;
  const others = (await unfinished(secrets)).filter(({ name }) => name !== execution);
  if (others.some((other) => other.state === 'running' && other.owner === owner)) return;
  await destroySecret(secrets, owner);
  await makeSecret(secrets, owner);
}

interface Unfinished {
  readonly name: string;
  readonly release: string | undefined;
  readonly owner: SecretOwner;
  /** A stopped one could be redriven, but its operator did not want it. One that is late cannot be any more. */
  readonly state: 'running' | 'redrivable' | 'stopped' | 'late';
}

/** All executions that have not succeeded. */
async function unfinished({ machine: stateMachineArn, signal }: SecretPlace) {
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
        const failed = redriveStatus === 'NOT_REDRIVABLE' ? 'late' : 'redrivable';
        const state = status === 'RUNNING' ? 'running' : status === 'ABORTED' ? 'stopped' : failed;
        const release = releaseIn(input);
        found.push({ name, release, owner: ownerOf(release, name), state });
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
