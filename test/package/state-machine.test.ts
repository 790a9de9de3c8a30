import validate from 'asl-validator';
import { describe, expect, test } from 'vitest';
import {
  type Definition,
  type State,
  allStates,
  deployedDefinition,
  functionOf,
} from '../support/state-machine/definition.ts';

interface Retrier {
  ErrorEquals: string[];
  IntervalSeconds: number;
  BackoffRate: number;
  MaxDelaySeconds: number;
  JitterStrategy: string;
  MaxAttempts: number;
}

const retriersOf = (task: State): Retrier[] => (task['Retry'] ?? []) as Retrier[];

/** What the validator finds in the deployed definition after a change to it. */
function found(change: (definition: Definition) => void = () => undefined): string[] {
  const definition = deployedDefinition();
  change(definition);
  const { isValid, errors } = validate(definition, { checkPaths: true, checkArn: true });
  const codes = errors.map((error) => error['Error code']);
  expect(isValid).toBe(codes.length === 0);
  return codes;
}

function state(definition: Definition, wanted: string): State {
  for (const [name, itself] of allStates(definition)) if (name === wanted) return itself;
  throw new Error(`no state ${wanted}`);
}

const tasks = (): [string, State][] =>
  [...allStates(deployedDefinition())].filter(([, { Type }]) => Type === 'Task');

describe('the definition of the state machine', () => {
  test('is valid in the Amazon States Language', () => {
    expect(found()).toEqual([]);
  });

  test.each<[string, (definition: Definition) => void, string]>([
    [
      'a next state that is not there',
      (definition) => Object.assign(state(definition, 'Plan'), { Next: 'Grups' }),
      'MISSING_TRANSITION_TARGET',
    ],
    [
      'a path that is none, inside of the map',
      (definition) => Object.assign(state(definition, 'Windows'), { ResultPath: 'done' }),
      'SCHEMA_VALIDATION_FAILED',
    ],
    [
      'a resource that is no ARN',
      (definition) => Object.assign(state(definition, 'Verify'), { Resource: 'end' }),
      'SCHEMA_VALIDATION_FAILED',
    ],
    [
      'a tolerated failure that is given twice',
      (definition) =>
        Object.assign(state(definition, 'Groups'), {
          ToleratedFailurePercentage: 1,
          ToleratedFailurePercentagePath: '$.tolerated',
        }),
      'MAP_TOLERATED_FAILURE',
    ],
    [
      'a state that nothing leads to',
      (definition) => Object.assign(definition.States, { Lost: { Type: 'Succeed' } }),
      'MISSING_TRANSITION_TARGET',
    ],
  ])('would not be with %s', (_, change, code) => {
    expect(found(change)).toContain(code);
  });

  test('plans, maps groups as executions of their own, tolerates no failure, and verifies', () => {
    const definition = deployedDefinition();
    expect(definition).toMatchObject({
      StartAt: 'Plan',
      States: {
        Plan: { Next: 'Groups' },
        Groups: {
          Label: 'Groups',
          ItemsPath: '$.groups',
          MaxConcurrencyPath: '$.concurrency',
          ResultPath: null,
          ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' } },
          Next: 'Verify',
        },
        Verify: { End: true },
      },
    });
    expect(Object.keys(definition.States)).toEqual(['Plan', 'Groups', 'Verify']);
    const groups = state(definition, 'Groups');
    const tolerating = Object.keys(groups).filter((field) => field.startsWith('Tolerated'));
    expect([...tolerating, ...Object.keys(groups).filter((field) => field === 'Retry')]).toEqual([]);
    // There it would be the group's own execution.
    expect(JSON.stringify(groups.ItemProcessor)).not.toContain('$$.Execution');
  });

  test('waits for an answer longer than a function may take', () => {
    const most = { plan: 900, windows: 900, end: 300 };
    for (const [, task] of tasks()) {
      const seconds = Number(task['TimeoutSeconds']);
      expect(seconds).toBeGreaterThan(most[functionOf(task)]);
      expect(seconds).toBeLessThanOrEqual(most[functionOf(task)] + 60);
    }
  });

  test('tries again what may pass, later each time and not all at once', () => {
    for (const [, task] of tasks()) {
      const errors = retriersOf(task).flatMap(({ ErrorEquals }) => ErrorEquals);
      expect(errors).toEqual(
        expect.arrayContaining([
          'Lambda.ServiceException',
          'Lambda.AWSLambdaException',
          'Lambda.SdkClientException',
          'Lambda.TooManyRequestsException',
          'Lambda.Unknown',
          'States.Timeout',
          'SourceError',
          'StoreError',
          'StarError',
          'DeadlineError',
        ]),
      );
      for (const retrier of retriersOf(task)) {
        expect(retrier).toMatchObject({ JitterStrategy: 'FULL' });
        expect(retrier.BackoffRate).toBeGreaterThan(1);
        expect(retrier.MaxDelaySeconds).toBeGreaterThan(retrier.IntervalSeconds);
      }
    }
  });

  test('does not try again what stays as it is', () => {
    const lasting = [
      'InputError',
      'PrivacyError',
      'ClockError',
      'HistoryGoneError',
      'MaskingSecretGoneError',
      'BackfillIncompleteError',
      'States.ALL',
      'States.TaskFailed',
    ];
    for (const [, task] of tasks()) {
      const errors = retriersOf(task).flatMap(({ ErrorEquals }) => ErrorEquals);
      expect(errors.filter((error) => lasting.includes(error))).toEqual([]);
    }
  });

  test('catches nothing: what fails for good fails the execution, which can be redriven', () => {
    expect([...allStates(deployedDefinition())].filter(([, { Catch }]) => Catch !== undefined)).toEqual([]);
  });
});
