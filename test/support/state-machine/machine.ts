import { randomUUID } from 'node:crypto';
import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { DAY } from '../../../lib/core/time.ts';
import { type Definition, type Functions, type State, functionOf } from './definition.ts';
import { MOST_BYTES, bytesOf, tooMuch } from './limits.ts';

/** Where an execution or an item of a Map stopped. */
export interface StoppedAt {
  readonly state: string;
  readonly input: unknown;
  /** Where that state is a Map: how its items stand. */
  readonly children?: readonly Child[];
}

export interface Call {
  readonly state: string;
  readonly event: unknown;
  readonly result?: unknown;
  /** Name of what it threw. */
  readonly error?: string;
}

/** An item of a Map, which is an execution of its own. */
export interface Child {
  readonly item: unknown;
  readonly index: number;
  status: 'PENDING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  output?: unknown;
  error?: string;
  cause?: string;
  stoppedAt?: StoppedAt;
}

export type End =
  | { readonly status: 'SUCCEEDED'; readonly output: unknown }
  | {
      readonly status: 'FAILED';
      readonly error: string;
      readonly cause: string;
      readonly stoppedAt: StoppedAt;
    }
  | { readonly status: 'ABORTED'; readonly stoppedAt: StoppedAt };

/** What an execution and the items of its Map share. */
export interface Running {
  readonly functions: Functions;
  readonly calls: Call[];
  readonly underWay: Set<Promise<unknown>>;
  readonly failed: Child[];
  mostBytes: number;
}

/** Evaluates the ItemSelector of a Map, ahead of the states of an item. */
const SELECT = 'ItemSelector';

interface RunOptions {
  readonly context: object;
  readonly signal: AbortSignal;
  readonly from: StoppedAt | undefined;
}

/** Runs a definition from its start, or from where an earlier run of it stopped. */
export async function runMachine(
  running: Running,
  definition: Definition,
  input: unknown,
  { context, signal, from }: RunOptions,
): Promise<End> {
  const maps = new Map<string, Promise<readonly Child[]>>();
  const handlers: Record<string, (event: unknown) => Promise<unknown>> = {};
  const states: Record<string, State> = {};
  for (const [name, state] of Object.entries(definition.States)) {
    states[name] = state;
    if (state.Type === 'Task') {
      const call = running.functions[functionOf(state)];
      // The library goes on to retry in a run that was aborted.
      const never = new Promise<never>(() => undefined);
      handlers[name] = (event) => (signal.aborted ? never : record(running, call, name, event));
    } else if (state.Type === 'Map') {
      states[name] = asTask(state);
      handlers[name] = async (event) => {
        const before = name === from?.state ? from.children : undefined;
        const mapped = runMap(running, state, event as MapInput, { context, signal, before });
        maps.set(name, mapped.children);
        return mapped.outputs;
      };
    }
  }
  const machine = new StateMachine(
    {
      ...definition,
      StartAt: from?.state ?? definition.StartAt,
      States: states,
    } as unknown as StateMachineDefinition,
    // The deployed definition is validated by a test of its own; this one has states that a redrive passes over.
    { validationOptions: { noValidate: true } },
  );
  const run = machine.run((from?.input ?? input) as never, {
    overrides: {
      taskResourceLocalHandlers: handlers as never,
      retryIntervalOverrides: Object.fromEntries(Object.keys(handlers).map((name) => [name, 0])),
    },
    context: context as never,
  });
  const abort = (): void => run.abort();
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  const [result, events] = await Promise.all([settled(run.result), listed(run.eventLogs)]);
  signal.removeEventListener('abort', abort);

  const last = events.findLast(({ type }) => type === 'StateEntered')?.state;
  if (last === undefined) throw new Error('no state was entered');
  const children = await maps.get(last.name);
  const stoppedAt = { state: last.name, input: last.input, ...(children && { children }) };
  if ('error' in result && result.error.name === 'ExecutionAbortedError')
    return { status: 'ABORTED', stoppedAt };
  for (const { state } of events) {
    // What an item is selected of was measured with the Map.
    if (state?.name === SELECT) continue;
    const bytes = Math.max(bytesOf(state?.input), bytesOf(state?.output));
    running.mostBytes = Math.max(running.mostBytes, bytes);
    if (bytes > MOST_BYTES && state !== undefined)
      return failed(tooMuch(bytes), { state: state.name, input: state.input });
  }
  return 'error' in result ? failed(result.error.cause, stoppedAt) : { status: 'SUCCEEDED', ...result };
}

function failed(error: unknown, stoppedAt: StoppedAt): End {
  const [name, cause] = error instanceof Error ? [error.name, error.message] : [String(error), ''];
  return { status: 'FAILED', error: name, cause, stoppedAt };
}

/** What a Map hands to the function that maps in its place. */
interface MapInput {
  readonly items: readonly unknown[];
  readonly concurrency: number;
  readonly input: unknown;
}

/** The library would map in one execution, and begin again with the first item after a redrive. */
function asTask(state: State): State {
  const { ItemProcessor: _, ItemSelector: __, ItemsPath, MaxConcurrencyPath, Label: ___, ...rest } = state;
  const known = ['Type', 'ResultPath', 'Next', 'Comment'];
  const unknown = Object.keys(rest).filter((field) => !known.includes(field));
  if (unknown.length > 0) throw new Error(`a Map is run here without ${unknown.join(', ')}`);
  return {
    ...rest,
    Type: 'Task',
    Resource: 'a Map',
    Parameters: { 'items.$': ItemsPath, 'concurrency.$': MaxConcurrencyPath, 'input.$': '$' },
    // A Map has no limit of its own; the library gives a task a minute where it states none.
    TimeoutSeconds: 7 * DAY,
  };
}

interface MapOptions extends Pick<RunOptions, 'context' | 'signal'> {
  readonly before: readonly Child[] | undefined;
}

/**
 * Runs a distributed Map: each item an execution of its own, so many at once, and no failure tolerated.
 *
 * @param before how the items stood when the execution was redriven; those that succeeded are not run again
 * @returns how they stand in the end, and what they answered, which rejects where one failed
 */
function runMap(
  running: Running,
  state: State,
  { items, concurrency, input }: MapInput,
  { context, signal, before = [] }: MapOptions,
): { children: Promise<readonly Child[]>; outputs: Promise<unknown[]> } {
  const children = items.map((item, index): Child => ({ status: 'PENDING', ...before[index], item, index }));
  const cut = new AbortController();
  const either = AbortSignal.any([signal, cut.signal]);

  const runOne = async (child: Child): Promise<void> => {
    const definition = selecting(state);
    const item = { Index: child.index, Value: child.item };
    const own = { ...context, Execution: { Name: `Groups:${randomUUID()}` }, Map: { Item: item } };
    const { stoppedAt: from } = child;
    delete child.stoppedAt;
    Object.assign(
      child,
      await runMachine(running, definition, input, { context: own, signal: either, from }),
    );
    if (child.status !== 'FAILED') return;
    running.failed.push({ ...child });
    cut.abort();
  };
  const queue = children.filter(({ status }) => status !== 'SUCCEEDED');
  const work = async (): Promise<void> => {
    for (let child = queue.shift(); child !== undefined; child = queue.shift()) {
      if (either.aborted) return;
      await runOne(child);
    }
  };
  const atOnce = concurrency === 0 ? queue.length : Math.min(concurrency, queue.length);
  const all = Promise.all(Array.from({ length: atOnce }, work)).then(() => children);
  return { children: all, outputs: all.then(() => outputsOf(running, children, signal)) };
}

async function outputsOf(
  running: Running,
  children: readonly Child[],
  signal: AbortSignal,
): Promise<unknown[]> {
  if (!signal.aborted) await Promise.allSettled(running.underWay);
  if (children.some(({ status }) => status === 'FAILED')) {
    const error = new Error('The specified tolerated failure threshold was exceeded');
    throw Object.assign(error, { name: 'States.ExceedToleratedFailureThreshold' });
  }
  const outputs = children.map(({ output }) => output);
  const bytes = bytesOf(outputs);
  running.mostBytes = Math.max(running.mostBytes, bytes);
  if (bytes > MOST_BYTES) throw tooMuch(bytes);
  return outputs;
}

/** The states of an item, after one that makes its input of the Map's. */
function selecting({ ItemProcessor, ItemSelector }: State): Definition {
  if (ItemProcessor === undefined || ItemSelector === undefined)
    throw new Error('a Map is run here with an ItemProcessor and an ItemSelector');
  const { States, StartAt } = ItemProcessor;
  const select = { Type: 'Pass', Parameters: ItemSelector, Next: StartAt };
  return { StartAt: SELECT, States: { ...States, [SELECT]: select } };
}

/** Calls a function as Lambda would: what goes in and comes out is JSON, and not too much of it. */
function record(
  running: Running,
  call: (event: unknown, state: string) => unknown,
  state: string,
  event: unknown,
): Promise<unknown> {
  const { calls, underWay } = running;
  const work = async (): Promise<unknown> => {
    const given = passed(running, event);
    try {
      const result = passed(running, (await call(passed(running, event), state)) ?? null);
      calls.push({ state, event: given, result });
      return result;
    } catch (error) {
      calls.push({ state, event: given, error: error instanceof Error ? error.name : String(error) });
      throw error;
    }
  };
  const made = work().finally(() => underWay.delete(made));
  underWay.add(made);
  return made;
}

function passed(running: Running, value: unknown): unknown {
  const bytes = bytesOf(value);
  running.mostBytes = Math.max(running.mostBytes, bytes);
  if (bytes > MOST_BYTES) throw tooMuch(bytes);
  return JSON.parse(JSON.stringify(value));
}

/** What is read of the library's log. */
interface LogEvent {
  type: string;
  state?: { name: string; input: unknown; output?: unknown };
}

async function listed(events: AsyncIterable<unknown>): Promise<LogEvent[]> {
  const list: LogEvent[] = [];
  for await (const event of events) list.push(event as LogEvent);
  return list;
}

async function settled(result: Promise<unknown>): Promise<{ output: unknown } | { error: Error }> {
  try {
    return { output: await result };
  } catch (error) {
    return { error: error as Error };
  }
}
