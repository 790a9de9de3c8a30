import { describe, expect, test } from 'vitest';
import { groupsOf } from '../../../lib/backfill/groups.ts';
import { DAY } from '../../../lib/time.ts';
import { windowsOf } from '../../../lib/window.ts';

const days = (count: number, from = 0) => windowsOf({ start: from * DAY, end: (from + count) * DAY }, DAY);

describe('Groups of windows', () => {
  test('are a month at most, and begin anew where windows are missing between', () => {
    const due = [...days(40), ...days(3, 50)];
    expect(groupsOf(due, 53, 1000).map(({ start, end }) => (end - start) / DAY)).toEqual([31, 9, 3]);
  });

  test('are smaller where much happens, down to a single window', () => {
    expect(groupsOf(days(30), 30, 6_000_000).map(({ start, end }) => (end - start) / DAY)).toEqual(
      Array.from({ length: 6 }, () => 5),
    );
    expect(groupsOf(days(3), 3, 90_000_000)).toHaveLength(3);
  });

  test('are small where nobody knows beforehand how much there is', () => {
    expect(groupsOf(days(10), 10, null).map(({ start, end }) => (end - start) / DAY)).toEqual([4, 4, 2]);
  });

  test('are never so many that their list would not fit into a state', () => {
    expect(groupsOf(days(90_000), 90_000, 1e12).length).toBeLessThanOrEqual(1500);
    const withHoles = days(9000).filter((_, nth) => nth % 2 === 0);
    const groups = groupsOf(withHoles, 9000, 1000);
    expect(groups.length).toBeLessThanOrEqual(1500);
    expect(groups.at(-1)?.end).toBe(withHoles.at(-1)?.end);
  });
});
