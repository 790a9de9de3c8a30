import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { readEndStep, readPlanStep, readWindowsStep } from '../../../lib/backfill/steps.ts';
import { windowsOf } from '../../../lib/core/window.ts';
import { DAY, iso } from '../../../lib/core/time.ts';
import { type Execution, type Functions, execute, redrive, statusChange } from './run.ts';

/*
 * The machine with fake functions, which take what the real ones take: windows are days of November, groups have three,
 * a worker leaves published windows alone, and what is published is a set of days.
 */

const day = (n: number): string => `2026-11-${String(n).padStart(2, '0')}T00:00:00Z`;
const dayOf = (time: string | number): number =>
  Number((typeof time === 'string' ? time : iso(time)).slice(8, 10));

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
  /** What making a window does first; throws where it fails. */
  before: (window: number) => void | Promise<void>;
  /** Workers at once, at the most. */
  atOnce: number;
  /** The windows that workers have begun since this was asked, in the order of days. */
  begun: () => number[];
}

function cloudOf(days: number, concurrency = 4): Cloud {
  let working = 0;
  let begun: number[] = [];
  const cloud: Cloud = {
    begun() {
      const since = begun.toSorted((a, b) => a - b);
      begun = [];
      return since;
    },
    published: new Set(),
    secrets: new Set(),
    before: () => undefined,
    atOnce: 0,
    functions: {
      plan(event) {
        const { plan: request, execution } = readPlanStep(event);
        cloud.secrets.add(execution);
        const groups: object[] = [];
        for (let first = 1; first <= days; first += 3) {
          groups.push({ start: day(first), end: day(Math.min(first + 3, days + 1)) });
        }
        return { groups, request, execution, concurrency, summary: { windows: days } };
      },
      async windows(event) {
        const { group, execution } = readWindowsStep(event);
        working++;
        cloud.atOnce = Math.max(cloud.atOnce, working);
        try {
          for (const { start } of windowsOf(group, DAY)) {
            const window = dayOf(start);
            if (cloud.published.has(window)) continue;
            await delay(1);
            begun.push(window);
            await cloud.before(window);
            if (!cloud.secrets.has(execution)) throw failure('MaskingSecretGoneError');
            cloud.published.add(window);
          }
          return {};
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
        const { execution, groups } = step.verify;
        const missing = groups
          .flatMap(({ start, end }) => range(dayOf(start), dayOf(end) - 1))
          .filter((window) => !cloud.published.has(window));
        if (missing.length > 0) throw failure('BackfillIncompleteError', `missing: ${missing.join(', ')}`);
        cloud.secrets.delete(execution);
        return { windows: days, groups: groups.length };
      },
    },
  };
  return cloud;
}

const REQUEST = { start: day(1), end: day(10) };

const calls = ({ calls: all }: Execution, state: string) => all.filter((call) => call.state === state);

const published = ({ published: days }: Cloud): number[] => [...days].toSorted((a, b) => a - b);

/** How the groups of an execution that stopped in its Map stood. */
const statuses = ({ stoppedAt }: Execution) => stoppedAt?.children?.map(({ status }) => status);

describe('an execution', () => {
  test('plans, maps every group, and verifies', async () => {
    const cloud = cloudOf(8);
    const execution = await execute(cloud.functions, REQUEST, { name: 'one' });
    expect(execution).toMatchObject({
      status: 'SUCCEEDED',
      output: { execution: 'one', summary: { windows: 8 }, groups: { windows: 8, groups: 3 } },
      failed: [],
    });
    expect(execution.stoppedAt).toBeUndefined();
    expect(published(cloud)).toEqual(range(1, 8));
    expect(cloud.begun()).toEqual(range(1, 8));
    expect(calls(execution, 'Plan')).toMatchObject([{ event: { plan: REQUEST, execution: 'one' } }]);
    expect(calls(execution, 'Windows').map(({ event }) => event)).toContainEqual({
      group: { start: day(1), end: day(4) },
      request: REQUEST,
      execution: 'one',
    });
    expect(calls(execution, 'Verify')).toMatchObject([
      { event: { verify: { request: REQUEST, execution: 'one', groups: [{}, {}, {}] } } },
    ]);
    expect(cloud.secrets.size).toBe(0);
  });

  test('without anything to do asks for no window', async () => {
    const execution = await execute(cloudOf(0).functions, REQUEST);
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: { groups: { windows: 0 } } });
    expect(execution.calls.map(({ state }) => state)).toEqual(['Plan', 'Verify']);
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
    expect(execution).toMatchObject({ status: 'SUCCEEDED', failed: [] });
    expect(cloud.begun().filter((window) => window === 5)).toHaveLength(6);
    expect(published(cloud)).toEqual(range(1, 9));
  });
});

describe('a group that fails', () => {
  test('for a reason that may pass is tried again, and in the end fails the execution', async () => {
    const cloud = cloudOf(9, 1);
    cloud.before = (window) => {
      if (window === 5) throw failure('SourceError', 'no answer');
    };
    const execution = await execute(cloud.functions, REQUEST);
    expect(execution).toMatchObject({
      status: 'FAILED',
      error: 'States.ExceedToleratedFailureThreshold',
      stoppedAt: { state: 'Groups' },
      failed: [
        {
          item: { start: day(4), end: day(7) },
          error: 'SourceError',
          cause: 'no answer',
          stoppedAt: { state: 'Windows', input: { group: { start: day(4), end: day(7) } } },
        },
      ],
    });
    expect(cloud.begun().filter((window) => window === 5)).toHaveLength(6);
    expect(execution.calls.some(({ state }) => state === 'Verify')).toBe(false);
    // Kept for a redrive.
    expect(cloud.secrets.size).toBe(1);
  });

  test.each(['InputError', 'HistoryGoneError', 'MaskingSecretGoneError', 'UnexpectedError', 'ClockError'])(
    'with %s is not tried again',
    async (name) => {
      const cloud = cloudOf(9);
      cloud.before = (window) => {
        if (window === 5) throw failure(name);
      };
      const execution = await execute(cloud.functions, REQUEST);
      expect(execution).toMatchObject({ status: 'FAILED', failed: [{ error: name }] });
      expect(cloud.begun().filter((window) => window === 5)).toHaveLength(1);
    },
  );

  test('keeps others from beginning, and cuts off those under way once their call is over', async () => {
    const cloud = cloudOf(12, 2);
    const { promise: seventh, resolve: isSeventh } = Promise.withResolvers<void>();
    const { promise: failing, resolve: hasFailed } = Promise.withResolvers<void>();
    cloud.before = async (window) => {
      if (window === 5) {
        await seventh;
        hasFailed();
        throw failure('InputError');
      }
      if (window !== 7) return;
      isSeventh();
      await failing;
      await delay(20);
    };
    const execution = await execute(cloud.functions, REQUEST);
    expect(statuses(execution)).toEqual(['SUCCEEDED', 'FAILED', 'ABORTED', 'PENDING']);
    // The call that was under way has ended, and no other has begun.
    expect(published(cloud)).toEqual([1, 2, 3, 4, 7, 8, 9]);
    expect(execution.stoppedAt?.children?.[2]?.stoppedAt).toMatchObject({
      state: 'Windows',
      input: { group: { start: day(7), end: day(10) } },
    });
  });

  test('is restarted by a redrive where it stopped, with those that were cut off or had not begun', async () => {
    const cloud = cloudOf(12, 1);
    cloud.before = (window) => {
      if (window === 5) throw failure('InputError');
    };
    const first = await execute(cloud.functions, REQUEST, { name: 'redriven' });
    expect(statuses(first)).toEqual(['SUCCEEDED', 'FAILED', 'PENDING', 'PENDING']);

    expect(cloud.begun()).toEqual(range(1, 5));
    const second = await redrive(first, cloud.functions);
    expect(second).toMatchObject({ status: 'FAILED', name: 'redriven', failed: [{ error: 'InputError' }] });
    expect(second.calls.map(({ state }) => state)).toEqual(['Windows']);
    expect(cloud.begun()).toEqual([5]);

    cloud.before = () => undefined;
    const third = await redrive(second, cloud.functions);
    expect(third).toMatchObject({ status: 'SUCCEEDED', failed: [] });
    expect(cloud.begun()).toEqual(range(5, 12));
    expect(calls(third, 'Verify')).toMatchObject([{ event: { verify: { groups: [{}, {}, {}, {}] } } }]);
    expect(published(cloud)).toEqual(range(1, 12));
    expect(cloud.secrets.size).toBe(0);
  });

  test('is tried by a redrive as often as the first time', async () => {
    const cloud = cloudOf(3);
    cloud.before = (window) => {
      if (window === 2) throw failure('StoreError');
    };
    const first = await execute(cloud.functions, REQUEST);
    expect(cloud.begun()).toEqual([1, 2, 2, 2, 2, 2, 2]);
    await redrive(first, cloud.functions);
    expect(cloud.begun()).toEqual([2, 2, 2, 2, 2, 2]);
  });
});

describe('a redrive', () => {
  test('after a plan that failed for good plans again', async () => {
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
    expect(first).toMatchObject({
      status: 'FAILED',
      error: 'InputError',
      cause: 'event: start',
      stoppedAt: { state: 'Plan', input: REQUEST },
    });
    const second = await redrive(first, functions);
    expect(second.status).toBe('SUCCEEDED');
    expect(calls(second, 'Plan')).toMatchObject([{ event: { plan: REQUEST } }]);
  });

  test('after windows were missing verifies alone', async () => {
    const cloud = cloudOf(6);
    const functions: Functions = {
      ...cloud.functions,
      end(event, state) {
        cloud.published.delete(4);
        return cloud.functions.end(event, state);
      },
    };
    const first = await execute(functions, REQUEST);
    expect(first).toMatchObject({ status: 'FAILED', error: 'BackfillIncompleteError', cause: 'missing: 4' });
    cloud.published.add(4);
    const second = await redrive(first, cloud.functions);
    expect(second).toMatchObject({ status: 'SUCCEEDED' });
    expect(second.calls.map(({ state }) => state)).toEqual(['Verify']);
  });

  test('of an execution that succeeded is refused', async () => {
    const { functions } = cloudOf(1);
    const execution = await execute(functions, REQUEST);
    expect(() => redrive(execution, functions)).toThrow('ExecutionNotRedrivable');
  });
});

describe('an execution that is stopped', () => {
  test('says so, and its secret goes by the event of it', async () => {
    const cloud = cloudOf(30, 1);
    const stop = new AbortController();
    cloud.before = (window) => {
      if (window === 5) stop.abort();
    };
    const execution = await execute(cloud.functions, REQUEST, { name: 'stopped', signal: stop.signal });
    expect(execution.status).toBe('ABORTED');
    expect(statuses(execution)?.slice(0, 3)).toEqual(['SUCCEEDED', 'ABORTED', 'PENDING']);
    expect(cloud.secrets).toEqual(new Set(['stopped']));
    await cloud.functions.end(statusChange(execution), '');
    expect(cloud.secrets.size).toBe(0);
  });

  test('does not try again what fails afterwards', async () => {
    const cloud = cloudOf(9, 1);
    const stop = new AbortController();
    let made = 0;
    cloud.before = () => {
      made++;
      stop.abort();
      throw failure('SourceError');
    };
    const { signal } = stop;
    expect(await execute(cloud.functions, REQUEST, { signal })).toMatchObject({ status: 'ABORTED' });
    await delay(20);
    expect(made).toBe(1);
  });

  test('does not wait for a worker that never answers', async () => {
    const cloud = cloudOf(9, 2);
    const stop = new AbortController();
    cloud.before = () => {
      stop.abort();
      return new Promise<void>(() => undefined);
    };
    const { signal } = stop;
    expect(await execute(cloud.functions, REQUEST, { signal })).toMatchObject({ status: 'ABORTED' });
  });

  test('is redriven where it stopped', async () => {
    const cloud = cloudOf(9, 1);
    const stop = new AbortController();
    cloud.before = async (window) => {
      if (window !== 5) return;
      stop.abort();
      await new Promise(() => undefined);
    };
    const { signal } = stop;
    const stopped = await execute(cloud.functions, REQUEST, { signal });
    expect(cloud.begun()).toEqual(range(1, 5));
    cloud.before = () => undefined;
    const redriven = await redrive(stopped, cloud.functions);
    expect(redriven.status).toBe('SUCCEEDED');
    expect(cloud.begun()).toEqual(range(5, 9));
  });
});

describe('what is passed on', () => {
  const padded = (length: number): Functions => {
    const { functions } = cloudOf(3);
    const plan = (event: unknown) => ({
      ...(functions.plan(event, '') as object),
      summary: 'x'.repeat(length),
    });
    return { ...functions, plan };
  };

  test('is measured, and too much of it fails the execution', async () => {
    // What the plan answers is the largest of all.
    const small = await execute(padded(10_000), REQUEST);
    const fitting = 256 * 1024 - small.mostBytes + 10_000;
    const large = await execute(padded(fitting), REQUEST);
    expect(large).toMatchObject({ status: 'SUCCEEDED', mostBytes: 256 * 1024 });
    expect(await execute(padded(fitting + 1), REQUEST)).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
    });
  });

  test('is JSON', async () => {
    const { functions } = cloudOf(3);
    const plan = (event: unknown) => ({ ...(functions.plan(event, '') as object), summary: new Date(0) });
    const { output } = await execute({ ...functions, plan }, REQUEST);
    expect(output).toMatchObject({ summary: '1970-01-01T00:00:00.000Z' });
  });

  test('to a group has the name of the whole execution, which the group itself has not', async () => {
    const { functions } = cloudOf(9);
    const execution = await execute(functions, REQUEST, { name: 'whole' });
    expect(
      calls(execution, 'Windows').map(({ event }) => (event as { execution: string }).execution),
    ).toEqual(['whole', 'whole', 'whole']);
  });
});
