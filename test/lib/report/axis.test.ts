import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countTicks, labelEvery } from '../../../lib/report/axis.ts';

describe('the axis of counts', () => {
  test('has few equal steps of whole numbers, the last within one of the highest', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 2 ** 31 })),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (highest, part) => {
          const lowest = Math.floor(highest * part);
          const ticks = countTicks(highest, lowest);
          const [first = 0, second = first + 1] = ticks;
          const step = second - first;
          expect(ticks).toEqual(ticks.map((_, nth) => first + nth * step));
          expect(Number.isInteger(step)).toBe(true);
          expect(first % step).toBe(0);
          expect(first).toBeLessThanOrEqual(lowest);
          expect(first + step).toBeGreaterThan(lowest);
          const top = Math.max(lowest + 1, highest);
          expect(ticks.at(-1)).toBeLessThanOrEqual(top);
          expect((ticks.at(-1) ?? 0) + step).toBeGreaterThan(top);
          expect(ticks.length).toBeLessThanOrEqual(7);
        },
      ),
    );
  });

  test('has round numbers, and ends where the highest is', () => {
    expect(countTicks(3)).toEqual([0, 1, 2, 3]);
    expect(countTicks(8300)).toEqual([0, 2000, 4000, 6000, 8000]);
    expect(countTicks(10_100)).toEqual([0, 2500, 5000, 7500, 10_000]);
    expect(countTicks(0)).toEqual([0, 1]);
    expect(countTicks(3087, 2717)).toEqual([2700, 2800, 2900, 3000]);
  });
});

test('labels of slots are at most nine, at equal distances where these exist', () => {
  expect([24, 12, 13, 20, 18, 5, 1].map(labelEvery)).toEqual([3, 2, 2, 4, 3, 1, 1]);
});
