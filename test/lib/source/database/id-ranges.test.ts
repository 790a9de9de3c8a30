import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { idsOfRanges, mergeIds, rangesOfIds, withoutIds } from '../../../../lib/source/database/id-ranges.ts';

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

  test('lose exactly the ids that are taken out', () => {
    fc.assert(
      fc.property(ids, ids, fc.nat(5), (list, gone, gap) => {
        const before = mergeIds(list, gap);
        const left = new Set(idsOfRanges(before).filter((id) => !gone.includes(id)));
        expect(new Set(idsOfRanges(withoutIds(before, gone)))).toEqual(left);
      }),
    );
  });
});
