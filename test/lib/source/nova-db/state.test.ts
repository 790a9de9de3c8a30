import { describe, expect, test } from 'vitest';
import { StoreError } from '../../../../lib/core/errors.ts';
import { idSet } from '../../../../lib/source/nova-db/id-set.ts';
import { type CellState, restoreCells, storeCell } from '../../../../lib/source/nova-db/state.ts';

const STATE: CellState = {
  nextEventId: 10,
  seenIds: idSet([11, 13, 15, 15]),
  open: new Map([[4, 100]]),
  siblings: new Map([[3, 90]]),
  unarchived: [
    [0, 5],
    [8, 2_000_000],
  ],
  samples: [{ id: 9, start: 95, created: 95, actionId: null }],
  shown: { endId: 16, heartbeat: 120 },
  copies: new Map([[20, 130]]),
  copiesTo: 21,
  edgeId: 14,
};

describe('The state of a cell', () => {
  test('is the same when it is stored as JSON and read again', () => {
    const stored = JSON.parse(JSON.stringify({ cell1: storeCell(STATE) })) as Record<string, object>;
    const restored = restoreCells(stored).states.get('cell1');
    expect({ ...restored, seenIds: restored?.seenIds.ranges }).toEqual({
      ...STATE,
      seenIds: STATE.seenIds.ranges,
    });
  });

  test.each([
    ['a range without its end', [5]],
    ['a range that ends before it begins', [5, 4]],
    ['ranges out of order', [8, 9, 5, 6]],
    ['ranges that overlap', [5, 8, 8, 9]],
    ['an id that is none', [-3, 4]],
  ])('is refused with %s', (_, ids) => {
    for (const field of ['seenIds', 'unarchived'])
      expect(() => restoreCells({ cell1: { ...storeCell(STATE), [field]: ids } })).toThrow(StoreError);
  });
});
