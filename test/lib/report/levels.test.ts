import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../lib/core/time.ts';
import { instantsOf, levelsOf } from '../../../lib/report/levels.ts';

const START = Date.UTC(2026, 10, 20) / 1000;

test('instants are five minutes apart in a day, and closer in less', () => {
  const stepOf = (length: number): number => instantsOf({ start: START, end: START + length }).step;
  expect([DAY, 12 * HOUR, HOUR, 10 * MINUTE, MINUTE].map(stepOf)).toEqual([300, 300, 15, 2, 1]);
});

test('levels are what a recount finds at each instant, whenever things begin and end', () => {
  const time = fc.integer({ min: START - HOUR, max: START + 3 * HOUR });
  const one = fc.record({ amount: fc.nat(9), from: fc.option(time), to: fc.option(time) });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 30 }), (things) => {
      const window = { start: START, end: START + 2 * HOUR };
      const instants = instantsOf(window);
      const levels = levelsOf(window, instants);
      for (const { amount, from, to } of things) levels.add(amount, from, to);
      const counted = Array.from({ length: instants.count }, (_, nth) => {
        const at = START + nth * instants.step;
        return things
          .filter(({ from, to }) => (from ?? -Infinity) <= at && (to ?? Infinity) > at)
          .reduce((sum, { amount }) => sum + amount, 0);
      });
      expect(levels.values()).toEqual(counted);
    }),
  );
});
