import * as z from 'zod/mini';
import { StoreError } from '../../core/errors.ts';
import type { Seconds } from '../../core/time.ts';
import type { SourceState } from '../source.ts';
import { type IdRange, rangesOfIds, idsOfRanges } from './id-ranges.ts';

/** What one cell's reader carries from window to window, so that nothing is read twice or missed. */
export interface CellState {
  /** Every row below is accounted for: published, carried as open, or given up. */
  readonly nextEventId: number;
  /** Rows from `nextEventId` on that are accounted for as well; see `ledger.ts`. */
  readonly seenIds: ReadonlySet<number>;
  /** When the newest row was inserted that could be seen at the last extraction. */
  readonly seenUntil: Seconds;
  /** Rows seen that had not finished when the last window ended. */
  readonly openIds: readonly number[];
  /** Published rows that share action and name with an open one, and their finish as of the last window's end. */
  readonly siblings: ReadonlyMap<number, Seconds>;
  /** Ids of instances that were not archived, or only recently, when last looked; see `archived-instances.ts`. */
  readonly unarchived: readonly IdRange[];
}

const ids = z.array(z.int());

const Stored = z.strictObject({
  nextEventId: z.int(),
  seenIds: ids,
  seenUntil: z.int(),
  openIds: ids,
  siblings: z.array(z.tuple([z.int(), z.int()])),
  unarchived: ids,
});

/** Plain JSON, with runs of ids written as their first and last. */
export function storeCell(state: CellState): z.infer<typeof Stored> {
  return {
    nextEventId: state.nextEventId,
    seenIds: rangesOfIds(state.seenIds).flat(),
    seenUntil: state.seenUntil,
    openIds: rangesOfIds(state.openIds).flat(),
    siblings: [...state.siblings],
    unarchived: state.unarchived.flat(),
  };
}

/** @throws StoreError where the checkpoint holds something else */
export function restoreCells(state: SourceState): Map<string, CellState> {
  const parsed = z.safeParse(z.record(z.string(), Stored), state);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.');
    throw new StoreError(`checkpoint: source.${path}: not what a database source wrote`);
  }
  return new Map(
    Object.entries(parsed.data).map(([cell, stored]) => [
      cell,
      {
        nextEventId: stored.nextEventId,
        seenIds: new Set(idsOfRanges(pairs(stored.seenIds))),
        seenUntil: stored.seenUntil,
        openIds: idsOfRanges(pairs(stored.openIds)),
        siblings: new Map(stored.siblings.map(([id, finish]) => [id, finish])),
        unarchived: pairs(stored.unarchived),
      },
    ]),
  );
}

function pairs(flat: readonly number[]): IdRange[] {
  const ranges: IdRange[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) ranges.push([flat[i] ?? 0, flat[i + 1] ?? 0]);
  return ranges;
}
