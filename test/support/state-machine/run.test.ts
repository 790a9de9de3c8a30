import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Group, readEndStep, readPlanStep, readWindowsStep } from '../../../lib/backfill/steps.ts';
import { type Execution, type Functions, execute, redrive, statusChange } from './run.ts';

/*
 * The machine with functions that take what the real ones take and do as these should: windows are days of November,
 * groups have three, a worker makes one window a turn, and "S3" is a set of days.
 */

const day = (n: number): string => `2026-11-${String(n).padStart(2, '0')}T00:00:00Z`;
const dayOf = (text: string): number => Number(text.slice(8, 10));

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, nth) => from + nth);

function failure(name: string, message = ''): Error {
  return Object.assign(new Error(message), { name });
}

interface Cloud {
  functions: Functions;
  published: Set<number>;
  /** Executions whose masking secret is there. */
  secrets: Set<string>;
  /** What making a window does beforehand; throws where it fails. */
  before: (window: number) => void;
  /** Turns of workers at once, at the most. */
  atOnce: number;
}

function cloudOf(days: number, concurrency = 4): Cloud {
  let working = 0;
  const cloud: Cloud = {
    published: new Set(),
    secrets: new Set(),
    before: () => undefined,
    atOnce: 0,
    functions: {
      plan(event) {
        const step = readPlanStep(event);
        const { execution } = 'renew' in step ? step.renew : step;
        cloud.secrets.add(execution);
        if ('renew' in step) return { execution };
        const groups: Group[] = [];
        for (let first = 1; first <= days; first += 3) {
          groups.push({ start: day(first), end: day(Math.min(first + 3, days + 1)), plan: 'group' });
        }
        const { plan: request, redrives } = step;
        return { groups, request, execution, concurrency, redrives, summary: { windows: days } };
      },
      async windows(event) {
        const { group, execution } = readWindowsStep(event);
        working++;
        cloud.atOnce = Math.max(cloud.atOnce, working);
        try {
          await delay(1);
          const window = dayOf(group.start);
          cloud.before(window);
          if (!cloud.secrets.has(execution)) throw failure('MaskingSecretGoneError');
          cloud.published.add(window);
          const start = day(window + 1);
          return { left: start === group.end ? null : { ...group, start }, published: 1, rows: 10 };
        } finally {
          working--;
        }
      },
      end(event) {
        const step = readEndStep(event);
        if ('sweep' in step) return {};
        if ('detail' in step) {
          cloud.secrets.delete(step.detail.name);
          return {};
        }
        const { execution, groups: all, redrives, redrive: now } = step.judge;
        const windowsOf = ({ start, end }: Group): number[] => range(dayOf(start), dayOf(end) - 1);
        const isMissing = (window: number): boolean => !cloud.published.has(window);
        const groups = all.filter((group) => windowsOf(group).some(isMissing));
        if (groups.length > 0 && now > redrives) return { again: true, groups, redrives: now };
        cloud.secrets.delete(execution);
        if (groups.length === 0) return { again: false, summary: { windows: days } };
        const missing = groups.flatMap(windowsOf).filter(isMissing);
        throw failure('BackfillIncompleteError', `missing: ${missing.join(', ')}`);
      },
    },
  };
  return cloud;
}

const REQUEST = { start: day(1), end: day(10) };

const calls = ({ calls: all }: Execution, state: string) => all.filter((call) => call.state === state);

/** The days that a turn of a worker began with. */
const turns = (execution: Execution): number[] =>
  calls(execution, 'Windows').map(({ event }) => dayOf((event as { group: Group }).group.start));

describe('an execution', () => {
  test('plans, maps every group, goes on while something is left of one, and ends with what came of it', async () => {
    const cloud = cloudOf(8);
    const execution = await execute(cloud.functions, REQUEST, { name: 'one' });
    expect(execution).toMatchObject({
      status: 'SUCCEEDED',
      output: { execution: 'one', planned: { windows: 8 }, published: { windows: 8 } },
      tolerated: [],
    });
    expect([...cloud.published].toSorted((a, b) => a - b)).toEqual(range(1, 8));
    expect(turns(execution).toSorted((a, b) => a - b)).toEqual(range(1, 8));
    expect(calls(execution, 'Plan')).toMatchObject([
      { event: { plan: REQUEST, execution: 'one', redrives: 0 } },
    ]);
    expect(calls(execution, 'Windows')[0]?.event).toEqual({
      group: { start: day(1), end: day(4), plan: 'group' },
      request: REQUEST,
      execution: 'one',
    });
    expect(calls(execution, 'Judge')).toMatchObject([
      { event: { judge: { request: REQUEST, execution: 'one', redrives: 0, redrive: 0 } } },
    ]);
    expect(cloud.secrets.size).toBe(0);
  });

  test('without anything to do asks for no window', async () => {
    const execution = await execute(cloudOf(0).functions, REQUEST);
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: { published: { windows: 0 } } });
    expect(execution.calls.map(({ state }) => state)).toEqual(['Plan', 'Judge']);
  });

  test.each([1, 2, 5])('has %i worker(s) at once, as planned', async (concurrency) => {
    const cloud = cloudOf(21, concurrency);
    expect(await execute(cloud.functions, REQUEST)).toMatchObject({ status: 'SUCCEEDED' });
    expect(cloud.atOnce).toBe(concurrency);
  });

  test('tries again what may pass', async () => {
    const cloud = cloudOf(9);
    const thrown = [
      'SourceError',
      'StoreError',
      'DeadlineError',
      'Lambda.Unknown',
      'Lambda.ServiceException',
    ];
    cloud.before = (window) => {
      const name = window === 5 ? thrown.pop() : undefined;
      if (name !== undefined) throw failure(name);
    };
    const execution = await execute(cloud.functions, REQUEST);
    expect(execution).toMatchObject({ status: 'SUCCEEDED', tolerated: [] });
    expect(turns(execution).filter((window) => window === 5)).toHaveLength(6);
    expect(cloud.published.size).toBe(9);
  });

  test('makes the secret anew where it is gone, and goes on with the same window', async () => {
    const cloud = cloudOf(9);
    const gone = [2, 7];
    cloud.before = (window) => {
      const at = gone.indexOf(window);
      if (at < 0) return;
      gone.splice(at, 1);
      cloud.secrets.clear();
    };
    const execution = await execute(cloud.functions, REQUEST, { name: 'renewed' });
    expect(execution).toMatchObject({ status: 'SUCCEEDED', tolerated: [] });
    expect(calls(execution, 'RenewForGroup')[0]?.event).toEqual({ renew: { execution: 'renewed' } });
    expect(cloud.published.size).toBe(9);
    expect(cloud.secrets.size).toBe(0);
  });
});

describe('a group that fails', () => {
  test('is retried, then left; the rest is published, and the execution fails and names what is missing', async () => {
    const cloud = cloudOf(9);
    cloud.before = (window) => {
      if (window === 5) throw failure('SourceError');
    };
    const execution = await execute(cloud.functions, REQUEST);
    expect(execution).toMatchObject({
      status: 'FAILED',
      error: 'BackfillIncompleteError',
      cause: 'missing: 5, 6',
      failedAt: { state: 'Judge' },
      tolerated: [{ item: { group: { start: day(5), end: day(7) } }, error: 'SourceError' }],
    });
    expect(turns(execution).filter((window) => window === 5)).toHaveLength(5);
    expect([...cloud.published].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 7, 8, 9]);
    expect(cloud.secrets.size).toBe(0);
  });

  test('for a reason that stays is not tried again', async () => {
    const cloud = cloudOf(9);
    cloud.before = (window) => {
      if (window === 5) throw failure('InputError');
    };
    const execution = await execute(cloud.functions, REQUEST);
    expect(execution).toMatchObject({ status: 'FAILED', tolerated: [{ error: 'InputError' }] });
    expect(turns(execution).filter((window) => window === 5)).toHaveLength(1);
  });

  test('is handed out by a redrive, alone and with a secret, and as often as it takes', async () => {
    const cloud = cloudOf(9);
    cloud.before = (window) => {
      if (window === 5) throw failure('InputError');
    };
    const first = await execute(cloud.functions, REQUEST, { name: 'redriven' });
    expect(first.status).toBe('FAILED');

    const second = await redrive(first, cloud.functions);
    expect(second).toMatchObject({ status: 'FAILED', redriveCount: 1, cause: 'missing: 5, 6' });
    expect(turns(second)).toEqual([4, 5]);

    cloud.before = () => undefined;
    const third = await redrive(second, cloud.functions);
    expect(third).toMatchObject({ status: 'SUCCEEDED', redriveCount: 2 });
    expect(third.calls.map(({ state }) => state)).toEqual([
      'Judge',
      'Renew',
      'Windows',
      'Windows',
      'Windows',
      'Judge',
    ]);
    expect(turns(third)).toEqual([4, 5, 6]);
    expect(calls(third, 'Judge').map(({ event }) => (event as { judge: object }).judge)).toMatchObject([
      { redrives: 1, redrive: 2 },
      { redrives: 2, redrive: 2, groups: [{ start: day(4), end: day(7) }] },
    ]);
    expect(cloud.published.size).toBe(9);
    expect(cloud.secrets.size).toBe(0);
  });
});

test('a plan that fails for good fails the execution, and a redrive plans again', async () => {
  const cloud = cloudOf(3);
  let plans = 0;
  const functions: Functions = {
    ...cloud.functions,
    plan: (event, state) => {
      if (plans++ === 0) throw failure('InputError', 'event: start');
      return cloud.functions.plan(event, state);
    },
  };
  const first = await execute(functions, REQUEST);
  expect(first).toMatchObject({ status: 'FAILED', error: 'InputError', failedAt: { state: 'Plan' } });
  const second = await redrive(first, functions);
  expect(second).toMatchObject({ status: 'SUCCEEDED' });
  expect(calls(second, 'Plan')).toMatchObject([{ event: { plan: REQUEST, redrives: 1 } }]);
});

test('an execution that is aborted says so, and its secret goes by the event of it', async () => {
  const cloud = cloudOf(30, 1);
  const stop = new AbortController();
  cloud.before = (window) => {
    if (window === 5) stop.abort();
  };
  const execution = await execute(cloud.functions, REQUEST, { name: 'aborted', signal: stop.signal });
  expect(execution.status).toBe('ABORTED');
  expect(cloud.secrets).toEqual(new Set(['aborted']));
  await cloud.functions.end(statusChange(execution), '');
  expect(cloud.secrets.size).toBe(0);
});

test('what a function answers is JSON, and no more than Step Functions passes on', async () => {
  const cloud = cloudOf(3);
  const plan = (event: unknown) => ({
    ...(cloud.functions.plan(event, 'Plan') as object),
    summary: 'x'.repeat(262_145),
  });
  expect(await execute({ ...cloud.functions, plan }, REQUEST)).toMatchObject({
    status: 'FAILED',
    error: 'States.DataLimitExceeded',
  });
});

test('as many groups as are ever planned fit into every state, also when all of them are handed out again', async () => {
  const group: Group = { start: day(1), end: day(2), plan: '20260101T000000Z-20260201T000000Z' };
  const groups = Array.from({ length: 1500 }, () => group);
  const { functions } = cloudOf(0, 100);
  const many: Functions = {
    plan: (event, state) => ({ ...(functions.plan(event, state) as object), groups }),
    windows: () => ({ left: null, published: 0, rows: 0 }),
    end(event) {
      const step = readEndStep(event);
      if ('sweep' in step || 'detail' in step) return {};
      const { redrives, redrive: now } = step.judge;
      if (now > redrives) return { again: true, groups, redrives: now };
      throw failure('BackfillIncompleteError');
    },
  };
  const first = await execute(many, REQUEST);
  expect(first).toMatchObject({ status: 'FAILED', failedAt: { state: 'Judge' } });
  const second = await redrive(first, many);
  expect(second).toMatchObject({ status: 'FAILED', failedAt: { state: 'Judge' } });
  expect(turns(second)).toHaveLength(groups.length);
});
