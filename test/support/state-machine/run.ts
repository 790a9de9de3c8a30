import { randomUUID } from 'node:crypto';
import { type Functions, deployedDefinition } from './definition.ts';
import { type Call, type Child, type Running, type StoppedAt, runMachine } from './machine.ts';

/*
 * Runs the definition of the state machine as it is deployed, in this process, with aws-local-stepfunctions. States are
 * chosen, errors retried, items mapped; functions are what a test gives.
 *
 * As in Step Functions:
 *
 * - Each item of a Map is an execution of its own, with a name of its own. The Map tolerates no failure: when an item
 *   has failed for good, no other begins, those under way are cut off, and the execution fails with
 *   States.ExceedToleratedFailureThreshold.
 * - A redrive begins at the state that failed, with its input, and tries each task as often as the first time. Of a Map
 *   it restarts the items that did not succeed, each at the state where it stopped; those that succeeded are not run
 *   again. A stopped execution can be redriven too.
 * - ItemsPath, ItemSelector, MaxConcurrencyPath, ResultPath and OutputPath null, Retry, TimeoutSeconds of a task (in
 *   real seconds) and error names.
 * - A state, the input or the answer of a function of more than 256 KiB fails the execution with
 *   States.DataLimitExceeded; the states after it run all the same.
 *
 * What Step Functions does and this does not:
 *
 * - Retries wait for nothing. IntervalSeconds, BackoffRate, MaxDelaySeconds and JitterStrategy have no effect.
 * - A function under way in an item that is cut off ends before the execution does. In AWS it may still be at work when
 *   a redrive begins. One under way in a stopped execution goes on here too, and nobody waits for it.
 * - An execution can be redriven for ever, not only 14 days and 1,000 times.
 * - There is no Retry or Catch of a Map, ToleratedFailurePercentage, ToleratedFailureCount, ItemReader, ItemBatcher,
 *   ResultWriter or MaxConcurrency (a Map with one of these is refused), no JSONata, no limit of 25,000 events, and no
 *   roles, logs, metrics or events (but see `statusChange`).
 */

export type { Functions };

/** What came of an execution. */
export interface Execution {
  readonly name: string;
  readonly input: unknown;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  /** Where it succeeded. */
  readonly output?: unknown;
  /** Where it failed: as DescribeExecution has them. */
  readonly error?: string;
  readonly cause?: string;
  /** Where it did not succeed: what a redrive begins at. */
  readonly stoppedAt?: StoppedAt;
  /** Every call of a function since it was started or redriven, in order of their ends. */
  readonly calls: readonly Call[];
  /** The items that have failed for good since then. */
  readonly failed: readonly Child[];
  /** Size of the largest state, input or answer. */
  readonly mostBytes: number;
}

export interface ExecutionOptions {
  readonly name?: string;
  /** Stops the execution, as StopExecution does. */
  readonly signal?: AbortSignal;
}

export function execute(
  functions: Functions,
  input: unknown,
  { name = randomUUID(), signal }: ExecutionOptions = {},
): Promise<Execution> {
  return run(functions, { name, input }, undefined, signal);
}

/** Redrives an execution that failed or was stopped. */
export function redrive(
  { name, input, stoppedAt }: Execution,
  functions: Functions,
  { signal }: Pick<ExecutionOptions, 'signal'> = {},
): Promise<Execution> {
  if (stoppedAt === undefined) throw new Error('ExecutionNotRedrivable: it succeeded');
  return run(functions, { name, input }, stoppedAt, signal);
}

async function run(
  functions: Functions,
  { name, input }: Pick<Execution, 'name' | 'input'>,
  from: StoppedAt | undefined,
  signal = new AbortController().signal,
): Promise<Execution> {
  const running: Running = {
    functions,
    calls: [],
    underWay: new Set(),
    failed: [],
    mostBytes: 0,
  };
  const options = { context: { Execution: { Name: name } }, signal, from };
  const end = await runMachine(running, deployedDefinition(), input, options);
  return { name, input, ...end, calls: running.calls, failed: running.failed, mostBytes: running.mostBytes };
}

/** The event by which EventBridge tells that an execution is over. Source: Step Functions developer guide. */
export function statusChange({
  name,
  status,
  input = {},
}: {
  name: string;
  status: string;
  input?: unknown;
}): object {
  const machine = 'arn:aws:states:us-east-1:123456789012:stateMachine:star-compactor-test-backfill';
  const executionArn = `${machine.replace(':stateMachine:', ':execution:')}:${name}`;
  const now = Date.now();
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Step Functions Execution Status Change',
    source: 'aws.states',
    account: '123456789012',
    time: new Date(now).toISOString(),
    region: 'us-east-1',
    resources: [executionArn],
    detail: {
      executionArn,
      stateMachineArn: machine,
      name,
      status,
      startDate: now,
      stopDate: status === 'RUNNING' ? null : now,
      input: JSON.stringify(input),
      inputDetails: { included: true },
      output: null,
      outputDetails: null,
    },
  };
}
