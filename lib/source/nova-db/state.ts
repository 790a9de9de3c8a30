import * as z from 'zod/mini';
import type { Seconds } from '../../core/time.ts';
import type { Window } from '../../core/window.ts';
import type { SourceState } from '../source.ts';
import { type IdRange, idsOfRanges, rangesOfIds } from './id-ranges.ts';
import { type IdSet, idSet } from './id-set.ts';
import { readStored } from '../stored-state.ts';

/** What one cell's reader carries from window to window, so that nothing is read twice or missed. */
export interface CellState {
  /** Every row below is accounted for: published, carried as open, or given up. */
  readonly nextEventId: number;
  /** Rows from `nextEventId` on that are accounted for as well; see `ledger.ts`. */
  readonly seenIds: IdSet;
  /** Rows seen that had not finished when the last window ended, by id, with their start: an id may be given again. */
  readonly open: ReadonlyMap<number, Seconds>;
  /** Published rows that share action and name with an open one, and their finish as of the last window's end. */
  readonly siblings: ReadonlyMap<number, Seconds>;
  /** Ids of instances that were not archived, or only recently, when last looked; see `archived-instances.ts`. */
  readonly unarchived: readonly IdRange[];
  /** What identifies some accounted rows; see `identity.ts`. */
  readonly samples: readonly Sample[];
  readonly shown: Shown;
  /** Copies beyond the last window, see `clones.ts`: by id their finish, and up to which id they were looked for. */
  readonly copies: ReadonlyMap<number, Seconds>;
  readonly copiesTo: number;
  /** About the first id of the next window, to tell by gaps what was purged; see `purged.ts`. */
  readonly edgeId: number;
}

/** What identifies a row besides its id. */
export interface Sample {
  readonly id: number;
  readonly start: Seconds;
  readonly created: Seconds;
  readonly actionId: number | null;
}

/** How far a snapshot reached. */
export interface Shown {
  /** One beyond the highest event id. */
  readonly endId: number;
  /** The newest heartbeat of Nova's services; null where `services` may not be read. */
  readonly heartbeat: Seconds | null;
}

/** What a worker of a backfill needs of the plan to read its range by primary key; see `plan.ts`. */
export interface PlannedCell {
  readonly range: Window;
  /** Rows of the range lie in these ids, `to` not included… */
  readonly from: number;
  readonly to: number;
  /** …or are these. */
  readonly elsewhere: readonly number[];
  /** Rows that finished in the range, as the server counted them. */
  readonly finished: number;
  /** Rows that began in the range and had not finished at its end. */
  readonly stillOpen: number;
  readonly unarchived: readonly IdRange[];
  readonly shown: Shown;
}

/** First and last id of each range, in order. */
const storedRanges = z.array(z.int()).check(
  z.refine(
    (ids) =>
      ids.length % 2 === 0 &&
      ids.every((id, nth) => {
        const before = ids[nth - 1] ?? -1;
        return nth % 2 === 0 ? id > before : id >= before;
      }),
  ),
);
const Shows = z.strictObject({ endId: z.int(), heartbeat: z.nullable(z.int()) });

const Stored = z.strictObject({
  nextEventId: z.int(),
  seenIds: storedRanges,
  open: z.array(z.tuple([z.int(), z.int()])),
  siblings: z.array(z.tuple([z.int(), z.int()])),
  unarchived: storedRanges,
  samples: z.array(z.tuple([z.int(), z.int(), z.int(), z.nullable(z.int())])),
  shown: Shows,
  copies: z.array(z.tuple([z.int(), z.int()])),
  copiesTo: z.int(),
  edgeId: z.int(),
});

const StoredPlan = z.strictObject({
  range: z.strictObject({ start: z.int(), end: z.int() }),
  from: z.int(),
  to: z.int(),
  elsewhere: storedRanges,
  finished: z.int(),
  stillOpen: z.int(),
  unarchived: storedRanges,
  shown: Shows,
});

/** Plain JSON, with runs of ids written as their first and last. */
export function storeCell(state: CellState): z.infer<typeof Stored> {
  return {
    nextEventId: state.nextEventId,
    seenIds: [...state.seenIds.ranges],
    open: [...state.open],
    siblings: [...state.siblings],
    unarchived: state.unarchived.flat(),
    samples: state.samples.map(({ id, start, created, actionId }) => [id, start, created, actionId]),
    shown: state.shown,
    copies: [...state.copies],
    copiesTo: state.copiesTo,
    edgeId: state.edgeId,
  };
}

export function storePlan(plan: PlannedCell): z.infer<typeof StoredPlan> {
  return {
    ...plan,
    elsewhere: rangesOfIds(plan.elsewhere).flat(),
    unarchived: plan.unarchived.flat(),
  };
}

/** What a request brings along, by cell: the checkpoint's or a plan's. */
export interface RestoredCells {
  readonly states: ReadonlyMap<string, CellState>;
  readonly plans: ReadonlyMap<string, PlannedCell>;
}

/** @throws StoreError where the checkpoint or the plan holds something else */
export function restoreCells(state: SourceState): RestoredCells {
  const schema = z.record(z.string(), z.union([Stored, StoredPlan]));
  const cells = readStored(schema, state, 'source', 'not what a database source wrote');
  const states = new Map<string, CellState>();
  const plans = new Map<string, PlannedCell>();
  for (const [cell, stored] of Object.entries(cells)) {
    const unarchived = pairs(stored.unarchived);
    if ('elsewhere' in stored) {
      plans.set(cell, { ...stored, elsewhere: idsOfRanges(pairs(stored.elsewhere)), unarchived });
    } else {
      states.set(cell, {
        ...stored,
        seenIds: idSet(stored.seenIds),
        open: new Map(stored.open),
        siblings: new Map(stored.siblings),
        samples: stored.samples.map(([id, start, created, actionId]) => ({ id, start, created, actionId })),
        copies: new Map(stored.copies),
        unarchived,
      });
    }
  }
  return { states, plans };
}

function pairs(flat: readonly number[]): IdRange[] {
  const ranges: IdRange[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) ranges.push([flat[i] ?? 0, flat[i + 1] ?? 0]);
  return ranges;
}
