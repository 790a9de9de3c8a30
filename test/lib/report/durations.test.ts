import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DURATION_EDGES, durationBin } from '../../../lib/report/durations.ts';
import { DAY } from '../../../lib/core/time.ts';

test('a duration falls between the edges of its bin', () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(120), fc.nat(4 * 3600), fc.nat(60 * DAY)), (seconds) => {
      const bin = durationBin(seconds);
      expect(DURATION_EDGES[bin]).toBeLessThanOrEqual(seconds);
      expect(DURATION_EDGES[bin + 1] ?? Infinity).toBeGreaterThan(seconds);
    }),
  );
});

test('every edge begins a bin, and the first holds nothing but 0 s', () => {
  expect(DURATION_EDGES.map(durationBin)).toEqual(DURATION_EDGES.map((_, bin) => bin));
  expect(durationBin(-1)).toBe(0);
  expect(durationBin(1)).toBe(1);
});
