import { randomUUID } from 'node:crypto';
import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import {
  type Definition,
  type FunctionName,
  type State,
  allStates,
  deployedDefinition,
  functionOf,
} from './definition.ts';

/*
 * Runs the definition of the state machine as it is deployed, in this process, with aws-local-stepfunctions. Items are
 * really mapped, states chosen, errors retried and caught; functions are what a test gives.
 *
 * What Step Functions does and this does not:
 *
 * - DISTRIBUTED is run as INLINE would be: an item is a run in this process and no execution of its own. In Step
 *   Functions `$$.Execution` of an item is another than its parent's; here it is the parent's. (A test sees to it that
 *   the definition does not use it there.)
 * - The library ignores ToleratedFailurePercentage and stops all items when one fails. So the definition is changed in
 *   one point: tasks inside of a map that tolerates 100 % catch, after what they catch themselves, all errors, and
 *   end their item. No other percentage can be run, and what fails in an item without a task is not tolerated.
 * - Retries wait for nothing; IntervalSeconds, BackoffRate, MaxDelaySeconds and JitterStrategy have no effect. How
 *   often and for which errors is heeded.
 * - A redrive begins at the state that failed, with its input and a RedriveCount that is one higher. Step Functions
 *   would go on inside of a map that was cut off; here a map begins anew.
 * - An abort ends the run; functions under way go on, as they do in AWS, but here nobody waits for them.
 * - There is neither ItemReader, ItemBatcher, ResultWriter nor JSONata, nor any limit but that of 256 KiB on what a
 *   function is given and answers, and on what a state passes on (over which the run itself fails, not the execution).
 * - Roles, logs and events are not there; for the last see `statusChange`.
 *
 * MaxConcurrencyPath, ItemSelector, ItemsPath of nothing, ResultPath and OutputPath null, TimeoutSeconds of a task
 * (in real seconds) and error names are as in Step Functions.
 */

/** What stands for the functions; the name of the state that calls comes second. */
export type Functions = Readonly<Record<FunctionName, (event: unknown, state: string) => unknown>>;

export interface Execution {
  readonly name: string;
  readonly redriveCount: number;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  /** Where it succeeded. */
  readonly output?: unknown;
  /** Where it failed: as DescribeExecution has them, and the state, outside of any map, that a redrive begins at. */
  readonly error?: string;
  readonly cause?: string;
  readonly failedAt?: { readonly state: string; readonly input: unknown };
  /** Every call of a function, in order; `error` is the name of what it threw. */
  readonly calls: readonly Call[];
  /** The items that failed and were tolerated, with the error of each. */
  readonly tolerated: readonly { readonly item: unknown; readonly error: string }[];
}

export interface Call {
  readonly state: string;
  readonly event: unknown;
  readonly result?: unknown;
  readonly error?: string;
}

export interface ExecutionOptions {
  readonly name?: string;
  /** Aborts the execution, as StopExecution does. */
  readonly signal?: AbortSignal;
}

export function execute(
  functions: Functions,
  input: unknown,
  { name = randomUUID(), signal }: ExecutionOptions = {},
): Promise<Execution> {
  return run(deployedDefinition(), functions, input, { name, redriveCount: 0, signal });
}

/** Redrives an execution that failed. */
export function redrive(
  { name, redriveCount, failedAt }: Execution,
  functions: Functions,
  { signal }: Pick<ExecutionOptions, 'signal'> = {},
): Promise<Execution> {
  if (failedAt === undefined) throw new Error('ExecutionNotRedrivable: it has not failed at a state');
  const definition = { ...deployedDefinition(), StartAt: failedAt.state };
  return run(definition, functions, failedAt.input, { name, redriveCount: redriveCount + 1, signal });
}

/** The event by which EventBridge tells that an execution is over. Source: Step Functions developer guide. */
export function statusChange({ name, status }: { name: string; status: string }): object {
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
      input: '{}',
      inputDetails: { included: true },
      output: null,
      outputDetails: null,
    },
  };
}

interface Running {
  name: string;
  redriveCount: number;
  signal: AbortSignal | undefined;
}

async function run(
  definition: Definition,
  functions: Functions,
  input: unknown,
  { name, redriveCount, signal }: Running,
): Promise<Execution> {
  const calls: Call[] = [];
  const tasks = [...allStates(definition)].filter(([, { Type }]) => Type === 'Task');
  const handlers = tasks.map(([state, task]) => {
    const call = functions[functionOf(task)];
    return [state, (event: unknown) => record(calls, call, state, event)] as const;
  });
  tolerateFailures(definition);
  // Its validator takes states that a redrive has passed for unreachable.
  const validationOptions = { noValidate: redriveCount > 0 };
  const machine = new StateMachine(definition as unknown as StateMachineDefinition, { validationOptions });
  const running = machine.run(input as never, {
    overrides: {
      taskResourceLocalHandlers: Object.fromEntries(handlers) as never,
      retryIntervalOverrides: Object.fromEntries(tasks.map(([state]) => [state, 0])),
    },
    context: { Execution: { Name: name, RedriveCount: redriveCount } },
  });
  const abort = (): void => running.abort();
  signal?.addEventListener('abort', abort);
  const [result, events] = await Promise.all([settled(running.result), listed(running.eventLogs)]);
  signal?.removeEventListener('abort', abort);

  for (const { type, state } of events) {
    if (type === 'StateExited' && isTooMuch(JSON.stringify(state?.output ?? null))) {
      throw new Error(`States.DataLimitExceeded: ${state?.name} passes on more than ${MOST_BYTES} bytes`);
    }
  }
  const tolerated = events
    .filter((event) => event.type === 'StateCaught' && event.catch?.catcher.Next === TOLERATED)
    .map(({ state, index }) => ({ item: state?.input, error: errorOf(events, index, state?.name) }));
  const common = { name, redriveCount, calls, tolerated };
  if (!('error' in result)) return { ...common, status: 'SUCCEEDED', output: result.output };
  if (result.error.name === 'ExecutionAbortedError') return { ...common, status: 'ABORTED' };
  const { cause } = result.error;
  const failed = events.findLast(({ type, index }) => type === 'StateFailed' && index === undefined)?.state;
  return {
    ...common,
    status: 'FAILED',
    error: cause instanceof Error ? cause.name : String(cause),
    cause: cause instanceof Error ? cause.message : '',
    ...(failed === undefined ? {} : { failedAt: { state: failed.name, input: failed.input } }),
  };
}

const TOLERATED = 'FailureIsTolerated';

function tolerateFailures(definition: Definition): void {
  for (const [name, { ItemProcessor, ToleratedFailurePercentage = 0 }] of allStates(definition)) {
    if (ItemProcessor === undefined || ToleratedFailurePercentage === 0) continue;
    if (ToleratedFailurePercentage !== 100) throw new Error(`${name}: only 0 or 100 % can be tolerated here`);
    for (const state of Object.values(ItemProcessor.States)) {
      if (state.Type !== 'Task') continue;
      // By the path of the result, an item that failed is still what it was when it did.
      const all = { ErrorEquals: ['States.ALL'], ResultPath: null, Next: TOLERATED };
      state.Catch = [...(state.Catch ?? []), all];
    }
    ItemProcessor.States[TOLERATED] = { Type: 'Pass', Result: {}, End: true } satisfies State;
  }
}

const MOST_BYTES = 256 * 1024;
const isTooMuch = (text: string): boolean => Buffer.byteLength(text) > MOST_BYTES;

/** Calls a function as Lambda would: what goes in and comes out is JSON, and not too much of it. */
async function record(
  calls: Call[],
  call: (event: unknown, state: string) => unknown,
  state: string,
  event: unknown,
): Promise<unknown> {
  const given = passed(event);
  try {
    const result = passed((await call(passed(event), state)) ?? null);
    calls.push({ state, event: given, result });
    return result;
  } catch (error) {
    calls.push({ state, event: given, error: error instanceof Error ? error.name : String(error) });
    throw error;
  }
}

function passed(value: unknown): unknown {
  const text = JSON.stringify(value);
  if (isTooMuch(text)) {
    throw Object.assign(new Error(`more than ${MOST_BYTES} bytes`), { name: 'States.DataLimitExceeded' });
  }
  return JSON.parse(text);
}

/** What is read of the library's log. */
interface LogEvent {
  type: string;
  state?: { name: string; input: unknown; output?: unknown };
  /** Of the item, where the state is inside of a map. */
  index?: number;
  catch?: { catcher: { Next: string } };
  Error?: string;
}

async function listed(events: AsyncIterable<unknown>): Promise<LogEvent[]> {
  const list: LogEvent[] = [];
  for await (const event of events) list.push(event as LogEvent);
  return list;
}

function errorOf(events: LogEvent[], index: number | undefined, state: string | undefined): string {
  const failed = events.findLast(
    (event) => event.type === 'StateFailed' && event.index === index && event.state?.name === state,
  );
  return failed?.Error ?? '';
}

async function settled(result: Promise<unknown>): Promise<{ output: unknown } | { error: Error }> {
  try {
    return { output: await result };
  } catch (error) {
    return { error: error as Error };
  }
}
