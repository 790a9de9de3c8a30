import { describe, expect, test } from 'vitest';
import { randomHistory } from './random-history.ts';

const DAY = 86_400;
const SETTLE = 1800;
const START = Date.UTC(2026, 9, 1) / 1000;

describe('a random history', () => {
  const history = randomHistory({ seed: 1, start: START, days: 20 });
  const shown = history.changes.flatMap(({ at, cell, table, upsert: row }) =>
    row !== undefined && table === 'instance_actions_events'
      ? [
          {
            at,
            cell,
            id: Number(row['id']),
            start: unix(row['start_time']),
            finish: unix(row['finish_time']),
          },
        ]
      : [],
  );
  const inserted = shown.filter((event) => Number.isNaN(event.finish));
  const finished = shown.filter((event) => !Number.isNaN(event.finish));

  test('is the same for the same seed, and another for another', () => {
    expect(randomHistory({ seed: 1, start: START, days: 20 })).toEqual(history);
    expect(randomHistory({ seed: 2, start: START, days: 20 })).not.toEqual(history);
  });

  test('shows every event within the settle time of its start', () => {
    for (const event of inserted) expect(event.at - event.start).toBeLessThan(SETTLE);
  });

  test('shows some events below ids that were seen long before', () => {
    let highest = 0;
    const below = inserted.filter(({ cell, id }) => {
      if (cell !== 'cell1') return false;
      highest = Math.max(highest, id);
      return id < highest;
    });
    expect(below.length).toBeGreaterThan(10);
  });

  test('lets start times fall behind the order of ids by no more than five seconds', () => {
    let latest = 0;
    let worst = 0;
    for (const { start } of inserted.filter(({ cell }) => cell === 'cell1').toSorted((a, b) => a.id - b.id)) {
      worst = Math.max(worst, latest - start);
      latest = Math.max(latest, start);
    }
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThanOrEqual(5);
  });

  test('has events over midnight, over days, never finished, and finished when their day had settled', () => {
    expect(finished.filter(({ start, finish }) => day(start) !== day(finish)).length).toBeGreaterThan(20);
    expect(finished.filter(({ start, finish }) => finish - start > DAY).length).toBeGreaterThan(5);
    expect(finished.every(({ start, finish }) => finish >= start)).toBe(true);
    expect(new Set(inserted.map(key)).size - new Set(finished.map(key)).size).toBeGreaterThan(20);
    expect(finished.filter(({ at, finish }) => at > (day(finish) + 1) * DAY + SETTLE).length).toBeGreaterThan(
      3,
    );
  });

  test('rewrites some builds, across midnight and after the first finish had settled', () => {
    const days = history.rewritten.map(({ finishes: [first, last] }) => ({
      first: day(first?.time ?? 0),
      last: day(last?.time ?? 0),
      shown: last?.shown ?? 0,
    }));
    expect(days.some(({ first, last }) => first !== last)).toBe(true);
    expect(days.some(({ first, shown: at }) => at > (first + 1) * DAY + SETTLE)).toBe(true);
  });
});

function unix(time: unknown): number {
  return typeof time === 'string' ? Date.parse(`${time}Z`) / 1000 : NaN;
}

function day(time: number): number {
  return Math.floor(time / DAY);
}

function key({ cell, id }: { cell: string; id: number }): string {
  return `${cell} ${id}`;
}
