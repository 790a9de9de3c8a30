import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collectIds, idSet } from '../../../../lib/source/nova-db/id-set.ts';

const ids = fc.array(fc.nat(60));

function collect(some: readonly number[], least = 0, known = idSet([])) {
  const collector = collectIds(known);
  for (const id of some) collector.add(id);
  return collector.atLeast(least);
}

describe('a set of ids', () => {
  test('is empty without any', () => {
    const none = collect([]);
    expect([none.end, none.ranges, none.has(0), none.has(1)]).toEqual([0, [], false, false]);
  });

  test('keeps ranges', () => {
    expect(collect([5, 6, 7, 7, 6, 9, 3, 4]).ranges).toEqual([3, 7, 9, 9]);
  });

  test('holds what was added from an id on, in whatever order', () => {
    fc.assert(
      fc.property(ids, fc.nat(60), (some, least) => {
        const set = collect(some, least);
        const expected = new Set(some.filter((id) => id >= least));
        expect(Array.from({ length: 62 }, (_, id) => set.has(id))).toEqual(
          Array.from({ length: 62 }, (_, id) => expected.has(id)),
        );
        expect(set.end).toBe(expected.size === 0 ? 0 : Math.max(...expected) + 1);
      }),
    );
  });

  test('goes on with one that was known, in the fewest ranges', () => {
    fc.assert(
      fc.property(ids, ids, fc.nat(60), (before, after, least) => {
        expect(collect(after, least, collect(before)).ranges).toEqual(
          collect([...before, ...after], least).ranges,
        );
      }),
    );
  });
});
