import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  idsOfRanges,
  mergeIds,
  mergeRanges,
  rangesBelow,
  rangesOfIds,
} from '../../../../lib/source/nova-db/id-ranges.ts';

const ids = fc.uniqueArray(fc.nat(200)).map((list) => list.toSorted((a, b) => a - b));

describe('ranges of ids', () => {
  test('are runs', () => {
    expect(rangesOfIds([9, 1, 3, 2, 7])).toEqual([
      [1, 3],
      [7, 7],
      [9, 9],
    ]);
    expect(mergeIds([1, 4, 9], 2)).toEqual([
      [1, 4],
      [9, 9],
    ]);
  });

  test('hold exactly the ids they were made of', () => {
    fc.assert(
      fc.property(ids, (list) => {
        expect(idsOfRanges(rangesOfIds(list))).toEqual(list);
      }),
    );
  });

  test('are the same whether they are made of all ids at once or of some at a time', () => {
    fc.assert(
      fc.property(ids, ids, fc.nat(5), (some, others, gap) => {
        const parts = [...mergeIds(some, gap), ...mergeIds(others, gap)];
        expect(mergeRanges(parts, gap)).toEqual(mergeIds([...some, ...others], gap));
      }),
    );
  });

  test('are cut at an id', () => {
    fc.assert(
      fc.property(ids, fc.nat(200), fc.nat(5), (list, at, gap) => {
        const ranges = mergeIds(list, gap);
        expect(idsOfRanges(rangesBelow(ranges, at))).toEqual(idsOfRanges(ranges).filter((id) => id < at));
      }),
    );
  });
});
