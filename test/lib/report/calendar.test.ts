import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CalendarDay, calendarDays, missingWindows } from '../../../lib/report/calendar.ts';
import { DAY, HOUR } from '../../../lib/core/time.ts';
import { dropEntry } from '../../support/report/entries.ts';

const START = Date.UTC(2026, 10, 22) / 1000;
const daily = (...days: number[]) => days.map((day) => dropEntry(START + day * DAY, DAY));
const statuses = (days: readonly CalendarDay[]): string[] => days.map(({ status }) => status);

describe('the calendar', () => {
  test('has nothing without drops, and one day for one drop', () => {
    expect(calendarDays([])).toEqual([]);
    expect(calendarDays(daily(0))).toMatchObject([
      { date: START, missing: [], events: 1, status: 'published' },
    ]);
  });

  test('misses what lies between the first drop and the last, in whatever order they come', () => {
    const days = calendarDays(daily(4, 0, 1));
    expect(statuses(days)).toEqual(['published', 'published', 'missing', 'missing', 'published']);
    expect(missingWindows(days, DAY)).toBe(2);
  });

  test('tells a day on which nothing happened from one that is missing', () => {
    const [first, last] = daily(0, 2);
    const empty = dropEntry(START + DAY, DAY, { events: 0 });
    expect(statuses(calendarDays([first, empty, last].filter((drop) => drop !== undefined)))).toEqual([
      'published',
      'empty',
      'published',
    ]);
  });

  test('puts hours together to days, of which a part may be missing, but not before the first or after the last', () => {
    const hours = [22, 23, 24, 25, 28, 49].map((hour) =>
      dropEntry(START + hour * HOUR, HOUR, { events: 10, late: 1 }),
    );
    const days = calendarDays(hours);
    expect(statuses(days)).toEqual(['published', 'partial', 'partial']);
    expect(days[1]).toMatchObject({ events: 30, late: 3 });
    expect(days.map(({ missing }) => missing)).toEqual([
      [],
      [
        { start: START + 26 * HOUR, end: START + 28 * HOUR },
        { start: START + 29 * HOUR, end: START + 48 * HOUR },
      ],
      [{ start: START + 48 * HOUR, end: START + 49 * HOUR }],
    ]);
    expect(missingWindows(days, HOUR)).toBe(22);
  });

  test('accounts for every hour from the first drop to the last exactly once', () => {
    const published = fc.uniqueArray(fc.nat(24 * 9), { minLength: 1, maxLength: 150 });
    fc.assert(
      fc.property(published, (hours) => {
        const days = calendarDays(hours.map((hour) => dropEntry(START + hour * HOUR, HOUR)));
        const covered = days
          .flatMap(({ drops, missing }) => [...drops.map(({ window }) => window), ...missing])
          .flatMap(({ start, end }) =>
            Array.from({ length: (end - start) / HOUR }, (_, nth) => (start - START) / HOUR + nth),
          );
        const [first, last] = [Math.min(...hours), Math.max(...hours)];
        const every = Array.from({ length: last - first + 1 }, (_, nth) => first + nth);
        expect(covered.toSorted((a, b) => a - b)).toEqual(every);
        expect(missingWindows(days, HOUR)).toBe(every.length - hours.length);
      }),
    );
  });
});
