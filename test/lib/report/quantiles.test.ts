import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY } from '../../../lib/core/time.ts';
import { quantiles } from '../../../lib/report/quantiles.ts';

const durations = fc.array(
  fc.oneof(fc.nat(70), fc.nat(4000), fc.nat(3000 * DAY), fc.constant(-3), fc.constant(2 ** 31 + 5)),
  { minLength: 1, maxLength: 200 },
);
const share = fc.constantFrom(0.01, 0.5, 0.95, 1);

test('tell a length that so many stay within, at most 3.2 % too long, and exactly below a minute', () => {
  fc.assert(
    fc.property(durations, share, (all, part) => {
      const sketch = quantiles();
      for (const one of all) sketch.add(one);
      const known = Math.max(
        0,
        Math.min(2 ** 31 - 1, all.toSorted((a, b) => a - b)[Math.ceil(all.length * part) - 1] ?? 0),
      );
      const told = sketch.within(part);
      expect(told).toBeGreaterThanOrEqual(known);
      expect(told).toBeLessThanOrEqual(known < 64 ? known : known * 1.032);
    }),
  );
});

test('merge as if all had come to one', () => {
  fc.assert(
    fc.property(durations, durations, share, (left, right, part) => {
      const [one, other, both] = [quantiles(), quantiles(), quantiles()];
      for (const length of left) one.add(length);
      for (const length of right) other.add(length);
      for (const length of [...left, ...right]) both.add(length);
      one.merge(other);
      expect(one.within(part)).toBe(both.within(part));
    }),
  );
});

test('of nothing are 0', () => {
  expect(quantiles().within(0.5)).toBe(0);
});
