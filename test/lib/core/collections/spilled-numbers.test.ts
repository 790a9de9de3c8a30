import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberSet } from '../../../../lib/core/collections/number-set.ts';
import { spilledNumbers } from '../../../../lib/core/collections/spilled-numbers.ts';

const number = fc.oneof(
  fc.integer({ min: 1, max: 60 }),
  fc.maxSafeNat().map((n) => n + 1),
);

test('numbers are counted and found as by a Set, whatever is held in memory', () => {
  fc.assert(
    fc.property(
      fc.array(number, { maxLength: 300 }),
      fc.array(number),
      fc.integer({ min: 1, max: 50 }),
      (added, asked, held) => {
        using numbers = spilledNumbers(held);
        for (const one of added) numbers.add(one);
        const expected = new Set(added);
        expect(numbers.count()).toBe(expected.size);
        const wanted = numberSet();
        for (const one of [...asked, ...added.slice(0, 3)]) wanted.add(one);
        expect(new Set(numbers.among(wanted))).toEqual(
          new Set([...wanted.values()].filter((one) => expected.has(one))),
        );
        expect(numbers.count()).toBe(expected.size);
      },
    ),
  );
});

test('more can be added after a count', () => {
  using numbers = spilledNumbers(3);
  for (let n = 1; n <= 10; n++) {
    numbers.add(n);
    numbers.add(n);
    expect(numbers.count()).toBe(n);
  }
});

test('a large run is read in blocks, and the file has no name', () => {
  using numbers = spilledNumbers(20_000);
  for (let n = 1; n <= 50_000; n++) numbers.add(((n * 7919) % 100_003) + 1);
  expect(numbers.count()).toBe(50_000);
  expect(readdirSync(tmpdir()).filter((name) => /^star-compactor-[0-9a-f]{16}$/.test(name))).toEqual([]);
});
