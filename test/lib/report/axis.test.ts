import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countTicks, labelEvery } from '../../../lib/report/axis.ts';

describe('the axis of counts', () => {
  test('goes from 0 to the highest or a little above, in few equal steps of whole numbers', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 2 ** 31 })),
        (highest) => {
          const ticks = countTicks(highest);
          const step = ticks[1] ?? 0;
          expect(ticks).toEqual(ticks.map((_, nth) => nth * step));
          expect(Number.isInteger(step)).toBe(true);
          expect(ticks.at(-1)).toBeGreaterThanOrEqual(highest);
          expect(ticks.at(-2)).toBeLessThan(highest);
          expect(ticks.length).toBeLessThanOrEqual(5);
        },
      ),
    );
  });

  test('has round numbers', () => {
    expect(countTicks(3)).toEqual([0, 1, 2, 3]);
    expect(countTicks(8300)).toEqual([0, 5000, 10_000]);
    expect(countTicks(0)).toEqual([0, 1]);
  });
});

test('labels of slots are at most nine, at equal distances where these exist', () => {
  expect([24, 12, 13, 20, 18, 5, 1].map(labelEvery)).toEqual([3, 2, 2, 4, 3, 1, 1]);
});
