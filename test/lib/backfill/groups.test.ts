import { describe, expect, test } from 'vitest';
import { groupsOf } from '../../../lib/backfill/groups.ts';
import { readPlanStep, readWindowsStep } from '../../../lib/backfill/steps.ts';
import { DAY, HOUR, type Seconds } from '../../../lib/core/time.ts';
import { type Window, isoWindow, windowKey, windowsOf } from '../../../lib/core/window.ts';
import { IS_SLOW } from '../../support/slow.ts';
import { execute } from '../../support/state-machine/run.ts';

const START = Date.UTC(2016, 0, 1) / 1000;
const days = (count: number, from = 0) =>
  windowsOf({ start: START + from * DAY, end: START + (from + count) * DAY }, DAY);
const lengths = (groups: readonly Window[]): number[] => groups.map(({ start, end }) => (end - start) / DAY);

describe('Groups of windows', () => {
  test('are a month at most, and end where windows between are published', () => {
    expect(lengths(groupsOf([...days(40), ...days(3, 50)], 1000))).toEqual([31, 9, 3]);
  });

  test('are smaller where much happens, down to a single window', () => {
    expect(lengths(groupsOf(days(30), 6_000_000))).toEqual([5, 5, 5, 5, 5, 5]);
    expect(groupsOf(days(3), 90_000_000)).toHaveLength(3);
  });

  test('are small where nobody knows beforehand how much there is', () => {
    expect(lengths(groupsOf(days(10), null))).toEqual([4, 4, 2]);
  });

  test('are none where nothing is due', () => {
    expect(groupsOf([], 0)).toEqual([]);
    expect(groupsOf([], null)).toEqual([]);
  });
});

const YEAR = 365;
const everyOther = (windows: readonly Window[]): Window[] => windows.filter((_, nth) => nth % 2 === 0);
const hours = (count: number): Window[] => windowsOf({ start: START, end: START + count * HOUR }, HOUR);

describe('An execution', () => {
  const cases: [string, Window[], number | null, Seconds][] = [
    ['ten years of days', days(10 * YEAR), 20_000_000, DAY],
    ['ten years of days, over the API', days(10 * YEAR), null, DAY],
    ['a year of hours', hours(24 * YEAR), 2_000_000, HOUR],
    ['a year of hours, over the API', hours(24 * YEAR), null, HOUR],
  ];
  const longest: typeof cases = [
    ['100,000 hours of a busy cloud, all that may be asked for', hours(100_000), 4_000_000_000, HOUR],
    ['50,000 hours between as many that are published', everyOther(hours(100_000)), 10_000_000, HOUR],
  ];
  test.each(IS_SLOW ? [...cases, ...longest] : cases)(
    'passes on %s in states of less than 256 KiB',
    async (_, due, events, windowSeconds) => {
      // As long as an event may be.
      const request = {
        ...isoWindow({ start: START, end: due.at(-1)?.end ?? START }),
        release: 'r'.repeat(32),
        formats: ['csv', 'jsonl', 'parquet'],
        concurrency: 100,
        dryRun: false,
        cut: false,
      };
      const worked = new Set<string>();
      const execution = await execute(
        {
          plan(event) {
            const { execution: name } = readPlanStep(event);
            const groups = groupsOf(due, events).map(isoWindow);
            const summary = {
              due: due.length,
              published: due.length,
              beforeHistory: ['2015-01-01T00:00:00Z/2016-01-01T00:00:00Z'],
            };
            return { request, groups, concurrency: 100, summary, execution: name };
          },
          windows(event) {
            const { group } = readWindowsStep(event);
            for (const window of windowsOf(group, windowSeconds)) worked.add(windowKey(window));
            return {};
          },
          end: () => ({}),
        },
        request,
        { name: 'n'.repeat(80) },
      );
      expect(execution).toMatchObject({ status: 'SUCCEEDED' });
      expect(execution.mostBytes).toBeLessThan(256 * 1024);
      expect(due.filter((window) => !worked.has(windowKey(window)))).toEqual([]);
    },
  );
});
