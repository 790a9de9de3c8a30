import {
  DescribeExecutionCommand,
  type ExecutionStatus,
  ListExecutionsCommand,
  SFNClient,
  SFNServiceException,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Fault } from '../aws/faults.ts';
import { type Status, startStepFunctions } from './server.ts';

let fault: Fault | undefined;
const server = await startStepFunctions({
  onRequest: () => {
    const once = fault;
    fault = undefined;
    return once;
  },
});
const { accessKeyId, secretAccessKey, endpoint, region, machine } = server;
const credentials = { accessKeyId, secretAccessKey };
const client = new SFNClient({ endpoint, region, credentials });
afterAll(() => server.stop());
beforeEach(() => {
  fault = undefined;
});

function start(name: string, input: object = {}, stateMachineArn = machine, from = client) {
  return from.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
}

function describe(executionArn: string | undefined) {
  return client.send(new DescribeExecutionCommand({ executionArn }));
}

function list(more: { statusFilter?: ExecutionStatus; maxResults?: number; nextToken?: string } = {}) {
  return client.send(new ListExecutionsCommand({ stateMachineArn: machine, ...more }));
}

async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof SFNServiceException)) throw error;
    return error.name;
  }
  return 'no failure';
}

const executionNamed = (name: string) => server.executions().find((execution) => execution.name === name);

test('an execution is recorded with its input, and runs until the test says otherwise', async () => {
  const { executionArn, startDate } = await start('first', { start: '2026-11-01' });
  expect(executionArn).toBe(`${machine.replace(':stateMachine:', ':execution:')}:first`);
  expect(startDate).toBeInstanceOf(Date);
  expect(executionNamed('first')).toMatchObject({ arn: executionArn, input: { start: '2026-11-01' } });
  expect(await describe(executionArn)).toMatchObject({
    status: 'RUNNING',
    name: 'first',
    stateMachineArn: machine,
    input: '{"start":"2026-11-01"}',
  });
  const execution = executionNamed('first');
  if (execution !== undefined) execution.status = 'ABORTED';
  const described = await describe(executionArn);
  expect(described.status).toBe('ABORTED');
  expect(described.stopDate).toBeInstanceOf(Date);
});

test('a name is taken once, but the same request while it runs is the same execution', async () => {
  const { executionArn } = await start('taken', { a: 1 });
  expect((await start('taken', { a: 1 })).executionArn).toBe(executionArn);
  expect(await failure(start('taken', { a: 2 }))).toBe('ExecutionAlreadyExists');
  const execution = executionNamed('taken');
  if (execution !== undefined) execution.status = 'SUCCEEDED';
  expect(await failure(start('taken', { a: 1 }))).toBe('ExecutionAlreadyExists');
});

test('what is not there, and what is no name, no ARN and no JSON, is refused', async () => {
  expect(await failure(describe(`${machine.replace(':stateMachine:', ':execution:')}:none`))).toBe(
    'ExecutionDoesNotExist',
  );
  expect(await failure(describe('none'))).toBe('InvalidArn');
  expect(await failure(start('x', {}, `${machine}-other`))).toBe('StateMachineDoesNotExist');
  expect(await failure(start('x', {}, 'machine'))).toBe('InvalidArn');
  for (const name of ['a b', 'a:b', 'a/b', 'x'.repeat(81)]) {
    expect(await failure(start(name))).toBe('InvalidName');
  }
  const command = new StartExecutionCommand({ stateMachineArn: machine, input: '{' });
  expect(await failure(client.send(command))).toBe('InvalidExecutionInput');
});

test('executions are listed, latest first, page by page, and those of one status alone', async () => {
  const before = server.executions().length;
  for (let nth = 0; nth < 5; nth++) await start(`listed-${nth}`);
  const stopped = executionNamed('listed-1');
  if (stopped !== undefined) stopped.status = 'ABORTED';

  const names: (string | undefined)[] = [];
  let pages = 0;
  for (let nextToken: string | undefined; ; pages++) {
    const page = await list({ maxResults: 2, ...(nextToken === undefined ? {} : { nextToken }) });
    names.push(...(page.executions ?? []).map(({ name }) => name));
    nextToken = page.nextToken;
    if (nextToken === undefined) break;
  }
  expect(names).toHaveLength(before + 5);
  expect(names.slice(0, 5)).toEqual(['listed-4', 'listed-3', 'listed-2', 'listed-1', 'listed-0']);
  expect(pages).toBeGreaterThanOrEqual(2);

  expect((await list({ statusFilter: 'ABORTED' })).executions).toContainEqual(
    expect.objectContaining({ name: 'listed-1', executionArn: stopped?.arn, status: 'ABORTED' }),
  );
  expect((await list({ statusFilter: 'TIMED_OUT' })).executions).toEqual([]);
});

test('a list with a status, a page size or a token that is none is refused, and one of another machine', async () => {
  expect(await failure(list({ statusFilter: 'OVER' as ExecutionStatus }))).toBe('ValidationException');
  expect(await failure(list({ maxResults: 1001 }))).toBe('ValidationException');
  expect(await failure(list({ nextToken: 'none' }))).toBe('InvalidToken');
  const other = new ListExecutionsCommand({ stateMachineArn: `${machine}-other` });
  expect(await failure(client.send(other))).toBe('StateMachineDoesNotExist');
});

test.each<[Status, boolean, string]>([
  ['RUNNING', false, 'NOT_REDRIVABLE'],
  ['SUCCEEDED', false, 'NOT_REDRIVABLE'],
  ['FAILED', false, 'REDRIVABLE'],
  ['TIMED_OUT', false, 'REDRIVABLE'],
  ['ABORTED', false, 'REDRIVABLE'],
  ['FAILED', true, 'NOT_REDRIVABLE'],
  ['PENDING_REDRIVE', false, 'REDRIVABLE_BY_MAP_RUN'],
])('an execution that is %s, beyond redrive: %s, is %s', async (status, isBeyondRedrive, redriveStatus) => {
  const { executionArn } = await start(`${status}-${isBeyondRedrive}`);
  const execution = executionNamed(`${status}-${isBeyondRedrive}`);
  Object.assign(execution ?? {}, { status, isBeyondRedrive });
  const described = await describe(executionArn);
  expect(described).toMatchObject({ status, redriveStatus });
  expect(described.redriveStatusReason !== undefined).toBe(redriveStatus === 'NOT_REDRIVABLE');
});

test('a wrong secret is refused', async () => {
  const wrong = new SFNClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey: 'wrong' } });
  expect(await failure(start('signed', {}, machine, wrong))).toBe('InvalidSignatureException');
  expect(executionNamed('signed')).toBeUndefined();
});

test('a start whose answer was lost is repeated by the client, and starts one execution', async () => {
  fault = { when: 'after', reset: true };
  const { executionArn } = await start('lost');
  expect(executionNamed('lost')?.arn).toBe(executionArn);
  expect(server.requests().slice(-2)).toMatchObject([
    { operation: 'StartExecution' },
    { operation: 'StartExecution', status: 200 },
  ]);
});

test('an injected error is answered in place of the start', async () => {
  fault = { status: 400, code: 'AccessDeniedException' };
  expect(await failure(start('denied'))).toBe('AccessDeniedException');
  expect(executionNamed('denied')).toBeUndefined();
});
