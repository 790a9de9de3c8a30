import { randomUUID } from 'node:crypto';
import type { Credentials } from '../aws/credentials.ts';
import type { RequestHook } from '../aws/faults.ts';
import { type Input, ServiceError, startJsonService, text } from '../aws/json-service.ts';

/** The account that AWS uses in its documentation. */
const ACCOUNT = '123456789012';

const STATUSES = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'] as const;
export type Status = (typeof STATUSES)[number];

export interface StartedExecution {
  readonly arn: string;
  readonly name: string;
  readonly input: unknown;
  /** A test says how it ends; nothing is run here. */
  status: Status;
  /** Whether what did not succeed is too old to be redriven, or was redriven too often. */
  isBeyondRedrive: boolean;
  readonly started: number;
}

export interface RequestRecord {
  /** As the API reference names it, such as `StartExecution`. */
  operation: string;
  input: Input | undefined;
  /** Absent until the request is answered, and for good where the connection was reset. */
  status?: number;
}

export interface LocalStepFunctions extends Credentials {
  endpoint: string;
  region: string;
  /** ARN of the one state machine that is there. */
  machine: string;
  /** Every execution that was started, in order. */
  executions(): StartedExecution[];
  /** Has an execution run that nobody started by a request; one that is known runs again. */
  enter(name: string, input: unknown): StartedExecution;
  /** Every request so far, in the order of their arrival. */
  requests(): RequestRecord[];
  stop(): Promise<void>;
}

export interface LocalStepFunctionsOptions {
  port?: number;
  region?: string;
  /** Name of the state machine. */
  machine?: string;
  /** Every server has its own unless given, so that several fakes can share them. */
  credentials?: Credentials;
  onRequest?: RequestHook<RequestRecord>;
}

/**
 * Starts a Step Functions on the loopback address that takes executions of one state machine and tells how they
 * stand. It runs none of them: see `run.ts`.
 */
export async function startStepFunctions(
  options: LocalStepFunctionsOptions = {},
): Promise<LocalStepFunctions> {
  const region = options.region ?? 'us-east-1';
  const name = options.machine ?? 'star-compactor-test-backfill';
  const machine = `arn:aws:states:${region}:${ACCOUNT}:stateMachine:${name}`;
  const executions = new Map<string, StartedExecution>();
  const service = await startJsonService<RequestRecord>({
    ...options,
    region,
    service: 'states',
    target: 'AWSStepFunctions',
    version: '1.0',
    operations: {
      StartExecution: (input) => start(machine, executions, input),
      DescribeExecution: (input) => describe(machine, executions, input),
      ListExecutions: (input) => list(machine, executions, input),
    },
    record: ({ operation, input }) => ({ operation, input }),
  });
  const enter = (execution: string, input: unknown): StartedExecution => {
    const arn = `${machine.replace(':stateMachine:', ':execution:')}:${execution}`;
    const made = { arn, name: execution, input, isBeyondRedrive: false, started: Date.now() };
    const entered = executions.get(arn) ?? { ...made, status: 'RUNNING' };
    entered.status = 'RUNNING';
    executions.set(arn, entered);
    return entered;
  };
  return { ...service, machine, enter, executions: () => [...executions.values()] };
}

function refuseOther(machine: string, request: Input): void {
  const wanted = text(request, 'stateMachineArn') ?? '';
  if (!/^arn:aws[\w-]*:states:/.test(wanted))
    throw new ServiceError('InvalidArn', `Invalid Arn: '${wanted}'`);
  if (wanted !== machine) {
    throw new ServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${wanted}'`);
  }
}

/** Source: StartExecution, AWS Step Functions API reference. */
function start(machine: string, executions: Map<string, StartedExecution>, request: Input): object {
  refuseOther(machine, request);
  const name = text(request, 'name') ?? randomUUID();
  // oxlint-disable-next-line no-control-regex
  if (!/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]{1,80}$/.test(name)) {
    throw new ServiceError('InvalidName', `Invalid Name: '${name}'`);
  }
  const input = parsed(text(request, 'input') ?? '{}');
  const arn = `${machine.replace(':stateMachine:', ':execution:')}:${name}`;
  const namesake = executions.get(arn);
  if (namesake !== undefined) {
    // Only with the same input, and while it runs, is the same name the same request again.
    const isSame = JSON.stringify(namesake.input) === JSON.stringify(input);
    if (namesake.status !== 'RUNNING' || !isSame) {
      throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    return { executionArn: arn, startDate: namesake.started / 1000 };
  }
  const started = Date.now();
  executions.set(arn, { arn, name, input, status: 'RUNNING', isBeyondRedrive: false, started });
  return { executionArn: arn, startDate: started / 1000 };
}

/** Source: DescribeExecution, AWS Step Functions API reference. */
function describe(machine: string, executions: Map<string, StartedExecution>, request: Input): object {
  const arn = text(request, 'executionArn') ?? '';
  if (!/^arn:aws[\w-]*:states:[^:]*:\d{12}:execution:[^:]+:[^:]+$/.test(arn)) {
    throw new ServiceError('InvalidArn', `Invalid Arn: '${arn}'`);
  }
  const execution = executions.get(arn);
  if (execution === undefined) {
    throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  }
  const { name, input, status, started } = execution;
  return {
    executionArn: arn,
    stateMachineArn: machine,
    name,
    status,
    startDate: started / 1000,
    ...(status === 'RUNNING' ? {} : { stopDate: Date.now() / 1000 }),
    input: JSON.stringify(input),
    inputDetails: { included: true },
    redriveCount: 0,
    ...redriveOf(execution),
  };
}

/** Executions that end well, or go on, cannot be redriven; those of a Map wait for its redrive. */
function redriveOf({ status, isBeyondRedrive }: StartedExecution): object {
  if (status === 'PENDING_REDRIVE') return { redriveStatus: 'REDRIVABLE_BY_MAP_RUN' };
  if (status === 'RUNNING' || status === 'SUCCEEDED') {
    const redriveStatusReason = `Execution is ${status} and cannot be redriven`;
    return { redriveStatus: 'NOT_REDRIVABLE', redriveStatusReason };
  }
  if (!isBeyondRedrive) return { redriveStatus: 'REDRIVABLE' };
  const redriveStatusReason = 'Execution has exceeded the redrivable period';
  return { redriveStatus: 'NOT_REDRIVABLE', redriveStatusReason };
}

/** Latest first. Source: ListExecutions, AWS Step Functions API reference. */
function list(machine: string, executions: Map<string, StartedExecution>, request: Input): object {
  refuseOther(machine, request);
  const filter = text(request, 'statusFilter');
  if (filter !== undefined && !STATUSES.includes(filter as Status)) {
    throw new ServiceError(
      'ValidationException',
      `statusFilter: '${filter}' is none of ${STATUSES.join(', ')}`,
    );
  }
  const size = request['maxResults'] ?? 0;
  if (typeof size !== 'number' || !(size >= 0 && size <= 1000)) {
    throw new ServiceError('ValidationException', 'maxResults must be between 0 and 1000');
  }
  const found = [...executions.values()]
    .filter(({ status }) => filter === undefined || status === filter)
    .toReversed();
  const token = text(request, 'nextToken');
  const from = token === undefined ? 0 : found.findIndex(({ arn }) => arn === decode(token)) + 1;
  if (token !== undefined && from === 0) throw new ServiceError('InvalidToken', `Invalid Token: '${token}'`);
  // Zero asks for what is usual.
  const page = found.slice(from, from + (size === 0 ? 100 : size));
  const last = from + page.length < found.length ? page.at(-1) : undefined;
  return {
    executions: page.map(({ arn, name, status, started }) => ({
      executionArn: arn,
      stateMachineArn: machine,
      name,
      status,
      startDate: started / 1000,
      redriveCount: 0,
    })),
    ...(last === undefined ? {} : { nextToken: Buffer.from(last.arn).toString('base64') }),
  };
}

const decode = (token: string): string => Buffer.from(token, 'base64').toString();

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new ServiceError('InvalidExecutionInput', 'Invalid State Machine Execution Input: not JSON');
  }
}
