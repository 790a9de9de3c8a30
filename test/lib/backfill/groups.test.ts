import { describe, expect, test } from 'vitest';
import { groupsOf } from '../../../lib/backfill/groups.ts';
import { DAY } from '../../../lib/time.ts';
import { windowsOf } from '../../../lib/window.ts';

const days = (count: number, from = 0) => windowsOf({ start: from * DAY, end: (from + count) * DAY }, DAY);

describe('Groups of windows', () => {
  test('are a month at most, and begin anew where windows are missing between', () => {
    const due = [...days(40), ...days(3, 50)];
    expect(groupsOf(due, 53, null).map(({ start, end }) => (end - start) / DAY)).toEqual([31, 9, 3]);
  });

  test('are smaller where much happens, down to a single window', () => {
    expect(groupsOf(days(30), 30, 6_000_000).map(({ start, end }) => (end - start) / DAY)).toEqual(
      Array.from({ length: 6 }, () => 5),
    );
    expect(groupsOf(days(3), 3, 90_000_000)).toHaveLength(3);
  });

  test('are never so many that their list would not fit into a state', () => {
    expect(groupsOf(days(90_000), 90_000, 1e12).length).toBeLessThanOrEqual(1500);
  });
});
