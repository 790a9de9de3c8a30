import { describe, expect, test } from 'vitest';
import { DAY, HOUR } from '../../../lib/core/time.ts';
import { type LeaseStatistics, collectLeases } from '../../../lib/report/lease-statistics.ts';
import type { MaskedLease } from '../../../lib/tables/leases/row.ts';
import type { Masked } from '../../../lib/tables/table.ts';

const START = Date.UTC(2026, 10, 20) / 1000;
const at = (hours: number): number => START + hours * HOUR;

/** A lease of two hosts that was made, and began, a day before. */
const lease = (more: Partial<MaskedLease> = {}): MaskedLease => ({
  id: 'l' as Masked,
  userId: null,
  projectId: null,
  created: at(-24),
  start: at(-24),
  end: at(48),
  started: at(-24),
  ended: null,
  deleted: null,
  status: 'ACTIVE',
  nodeCount: 2,
  hosts: ['a', 'b'] as Masked[],
  ...more,
});

function statisticsOf(leases: readonly MaskedLease[]): LeaseStatistics {
  const collector = collectLeases({ start: START, end: START + DAY });
  for (const one of leases) collector.addLease(one);
  return collector.finish();
}

/** Hosts reserved at each hour's start. */
function hoursOf(leases: readonly MaskedLease[]): number[] {
  const { reserved, instant } = statisticsOf(leases);
  return Array.from({ length: 24 }, (_, hour) => reserved[(hour * HOUR) / instant] ?? -1);
}

const spans = (...all: [value: number, hours: number][]): number[] =>
  all.flatMap(([value, hours]) => Array.from({ length: hours }, () => value));

describe('hosts are reserved', () => {
  test('from the true start of a lease to its end, or its deletion', () => {
    expect(hoursOf([lease()])).toEqual(spans([2, 24]));
    expect(hoursOf([lease({ started: at(3), ended: at(9), deleted: at(12) })])).toEqual(
      spans([0, 3], [2, 6], [0, 15]),
    );
    expect(hoursOf([lease({ deleted: at(5) })])).toEqual(spans([2, 5], [0, 19]));
  });

  test('by no lease that has not begun', () => {
    expect(
      hoursOf([lease({ started: null, status: 'PENDING' }), lease({ started: null, deleted: at(5) })]),
    ).toEqual(spans([0, 24]));
  });

  test('once where leases share them, and one after the other', () => {
    const both = [
      lease({ ended: at(6), hosts: ['a'] as Masked[] }),
      lease({ started: at(2), ended: at(4), hosts: ['a'] as Masked[] }),
      lease({ started: at(5), ended: at(10), hosts: ['a', 'b'] as Masked[] }),
    ];
    const expected = spans([1, 5], [2, 5], [0, 14]);
    expect(hoursOf(both)).toEqual(expected);
    expect(hoursOf(both.toReversed())).toEqual(expected);
  });

  test('without names by their number, and not where nobody saw them', () => {
    const ended = { ended: at(6), hosts: [] } as const;
    const leases = [lease(ended), lease({ ...ended, nodeCount: null })];
    expect(hoursOf(leases)).toEqual(spans([2, 6], [0, 18]));
    expect(statisticsOf(leases).withoutHosts).toBe(1);
  });
});

describe('plans', () => {
  test('are those of leases that were made in the window, and their middle is exact', () => {
    const made = [
      { created: at(1) + 50, start: at(1), end: at(1) + 2 * HOUR },
      { created: at(2), start: at(12), end: at(12) + 7 * HOUR + 1 },
      { created: at(3), start: at(33) + 1, end: at(33) + 1 + 30 * DAY },
    ];
    const { lengths, leads } = statisticsOf([
      lease(),
      ...made.map((plan) => lease({ ...plan, started: null })),
    ]);
    expect([lengths.rows, lengths.half, lengths.longest]).toEqual([3, 7 * HOUR + 1, 30 * DAY]);
    expect([leads.rows, leads.half, leads.longest]).toEqual([3, 10 * HOUR, 30 * HOUR + 1]);
    expect([lengths, leads].map(({ durations }) => durations.reduce((sum, n) => sum + n, 0))).toEqual([3, 3]);
  });
});

describe('what was used', () => {
  const over = (used: number, more: Partial<MaskedLease> = {}): MaskedLease =>
    lease({ start: at(0), end: at(20), started: at(0), deleted: at(20 * used), status: 'DELETED', ...more });

  test('is by quarters of the planned time, of leases that were over', () => {
    const { use } = statisticsOf([
      lease(),
      over(0.1),
      over(0.25),
      over(0.6),
      over(0.99),
      lease({ start: at(-24), end: at(5), ended: at(5) + 12, status: 'TERMINATED' }),
      over(0.1, { started: null }),
    ]);
    expect(use).toEqual({ rows: 6, never: 1, quarters: [1, 1, 1, 1], whole: 1, half: 0.25 });
  });

  test('has no middle where nothing was given back', () => {
    expect(statisticsOf([lease()]).use).toEqual({
      rows: 0,
      never: 0,
      quarters: [0, 0, 0, 0],
      whole: 0,
      half: null,
    });
  });
});

test('sizes hold each lease once, with the time of its hosts in the window', () => {
  const { sizes, rows } = statisticsOf([
    lease(),
    lease({ hosts: [], nodeCount: 40, started: at(20) }),
    lease({ hosts: [], nodeCount: 17, started: null }),
    lease({ hosts: [], nodeCount: null }),
    lease({ hosts: ['c'] as Masked[], nodeCount: 1, ended: at(6) }),
  ]);
  expect(rows).toBe(5);
  expect(sizes).toEqual([
    { from: 1, to: 1, leases: 1, hostSeconds: 6 * HOUR },
    { from: 2, to: 2, leases: 1, hostSeconds: 48 * HOUR },
    { from: 17, to: null, leases: 2, hostSeconds: 160 * HOUR },
  ]);
});
