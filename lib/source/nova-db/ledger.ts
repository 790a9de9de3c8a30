import type { Seconds } from '../../core/time.ts';
import type { Window } from '../../core/window.ts';
import type { ReadRequest, SourceCounts } from '../source.ts';
import { DISORDER } from './bounds.ts';
import { type EventRow, isCopy } from './event-rows.ts';
import type { Sibling } from './siblings.ts';
import type { CellState } from './state.ts';

/**
 * Decides the fate of every row that is read, and remembers what the next window has to know. This is where
 * "exactly once" is kept:
 *
 * - A row inserted before the window's end is accounted for now: published if it has finished by then, carried as
 *   open if not. One inserted later is left to the next window, unless it is a copy of an event that finished
 *   before (`clones.ts`).
 * - The next window starts at the first id inserted within the settle time before this window's end. What was
 *   accounted for from there on is remembered by id, so that a row which was given a lower id but committed
 *   later (Galera, a slow transaction) is still found, and no other is taken twice.
 */
export interface Ledger {
  /**
   * Of rows read for the first time, those to publish. To be called in order of id, save for rows that are out of
   * it, which come first.
   *
   * @param clones ids of rows that are copies of events published elsewhere
   */
  take(
    rows: readonly EventRow[],
    clones: ReadonlySet<number>,
    options?: { outOfOrder?: boolean },
  ): EventRow[];
  /** Of rows carried as open, those to publish. */
  reread(rows: readonly EventRow[], clones: ReadonlySet<number>): EventRow[];
  skip(reason: string): void;
  /** Carried rows that are in no table any more. */
  noteMissing(rows: number): void;
  openRows(): readonly EventRow[];
  /**
   * @param siblings finished namesakes of open rows, by id, as they are at present
   * @param known the same of those that were known before
   */
  close(
    siblings: ReadonlyMap<number, Sibling>,
    known: ReadonlyMap<number, Sibling>,
  ): {
    state: Omit<CellState, 'unarchived' | 'seenUntil'>;
    counts: SourceCounts;
  };
}

/** @param accountedTo every row with a lower id is accounted for, but for those carried as open */
export function openLedger(state: CellState | undefined, request: ReadRequest, accountedTo: number): Ledger {
  const { window, begin, openHorizonSeconds, settleSeconds } = request;
  const heldBackFrom = window.end - settleSeconds;
  const open: EventRow[] = [];
  const taken: number[] = [...(state?.seenIds ?? [])];
  const strays: number[] = [];
  const skipped: Record<string, number> = {};
  let late = 0;
  let beforeBegin = 0;
  let abandoned = 0;
  let lowestHeldBack = Infinity;
  let end = accountedTo;

  const skip = (reason: string, rows = 1): void => {
    if (rows > 0) skipped[reason] = (skipped[reason] ?? 0) + rows;
  };

  /** Whether to publish the row now; if not, it is carried or given up. */
  const settle = (row: EventRow, clones: ReadonlySet<number>): boolean => {
    if (row.finish === null || row.finish >= window.end) {
      const isTooOld = (row.start ?? row.created) < window.end - openHorizonSeconds;
      if (isTooOld && row.finish === null) abandoned++;
      else open.push(row);
      return false;
    }
    const isClone = clones.size > 0 && clones.has(row.id);
    if (row.finish < begin) {
      // A first run meets all history; later ones only what was committed since.
      if (state !== undefined && !isClone) beforeBegin++;
      return false;
    }
    if (isClone) {
      skip('cloned');
      return false;
    }
    if (row.finish < window.start) late++;
    return true;
  };

  return {
    take(rows, clones, { outOfOrder = false } = {}) {
      return rows.filter((row) => {
        // A row far ahead of those around it has a wrong clock, or they are the last that are read.
        const copy = isCopy(row, window.end);
        if (row.created >= window.end + DISORDER && !copy) strays.push(row.id);
        else if (row.created >= heldBackFrom) lowestHeldBack = Math.min(lowestHeldBack, row.id);
        // A copy of an event that has long finished is no event to come, and its original may be gone already.
        if (row.created >= window.end && !copy) return false;
        if (row.created < window.end) end = Math.max(end, row.id + 1);
        if (state?.seenIds.has(row.id) === true) return false;
        // Rows come in order of id, so what is below the lowest id held back need not be remembered.
        if (row.id >= lowestHeldBack || outOfOrder) taken.push(row.id);
        return settle(row, clones);
      });
    },
    reread: (rows, clones) => rows.filter((row) => settle(row, clones)),
    skip,
    noteMissing: (rows) => skip('eventGone', rows),
    openRows: () => open,
    close(siblings, known) {
      const nextEventId = Math.min(lowestHeldBack, end);
      const openIds = [...open.map((row) => row.id), ...strays.filter((id) => id < nextEventId)];
      const carried = new Set(openIds);
      const published = new Map([...siblings].filter(([id]) => !carried.has(id)));
      const all = new Map([...known, ...published]);
      return {
        state: {
          nextEventId,
          seenIds: new Set(taken.filter((id) => id >= nextEventId)),
          openIds,
          siblings: new Map(
            [...all].flatMap(([id, { finish }]): [number, Seconds][] => {
              // Its namesake may be gone by the window in which that lies: archived, or given up.
              const isBeyond = finish >= window.end;
              const settled = isBeyond ? state?.siblings.get(id) : published.get(id)?.finish;
              return settled === undefined ? [] : [[id, settled]];
            }),
          ),
        },
        counts: {
          late,
          beforeBegin,
          abandoned,
          stillOpen: open.length,
          rewritten: countRewritten(all, state, window),
          skipped,
        },
      };
    },
  };
}

/**
 * Counts the published rows that have another finish than when they were published. A finish beyond the window is
 * counted by the window in which it lies.
 */
function countRewritten(
  siblings: ReadonlyMap<number, Sibling>,
  state: CellState | undefined,
  window: Window,
): number {
  if (state === undefined) return 0;
  const wasOpen = new Set(state.openIds);
  return [...siblings].filter(([id, { finish, namesakeStart }]) => {
    if (finish >= window.end) return false;
    const known = state.siblings.get(id);
    if (known !== undefined) return known !== finish;
    // Published before its namesake was known, and so with a finish before this window.
    const wasPublished = id < state.nextEventId || state.seenIds.has(id);
    if (!wasPublished || wasOpen.has(id)) return false;
    // Or, where its namesake came late as well, before that began.
    return finish >= Math.min(window.start, namesakeStart);
  }).length;
}
