import type { Seconds } from '../../time.ts';
import type { ReadRequest, SourceCounts } from '../source.ts';
import { DISORDER, type IdSpan } from './bounds.ts';
import { type EventRow, isCopy } from './event-rows.ts';
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
export interface Account {
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
   * @param siblings finished namesakes of open rows, by id, with their present finish
   * @param known the same of those that were known before
   */
  close(
    siblings: ReadonlyMap<number, Seconds>,
    known: ReadonlyMap<number, Seconds>,
  ): {
    state: Omit<CellState, 'unarchived' | 'seenUntil'>;
    counts: SourceCounts;
  };
}

export function openAccount(state: CellState | undefined, request: ReadRequest, span: IdSpan): Account {
  const { window, openHorizonSeconds, settleSeconds } = request;
  const traceFrom = state?.traceFrom ?? window.start;
  const heldBackFrom = window.end - settleSeconds;
  const open: EventRow[] = [];
  const taken: number[] = [...(state?.seenIds ?? [])];
  const strays: number[] = [];
  const skipped: Record<string, number> = {};
  let late = 0;
  let abandoned = 0;
  let lowestHeldBack = Infinity;
  let end = span.from;

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
    // What finished before the first window ever is for a backfill.
    if (row.finish < traceFrom) return false;
    if (clones.size > 0 && clones.has(row.id)) {
      skip('cloned');
      return false;
    }
    if (row.finish >= window.start) return true;
    if (request.holdLate) open.push(row);
    else late++;
    return !request.holdLate;
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
      return {
        state: {
          traceFrom,
          nextEventId,
          seenIds: new Set(taken.filter((id) => id >= nextEventId)),
          openIds,
          siblings: published,
        },
        counts: {
          late,
          abandoned,
          stillOpen: open.length,
          rewritten: rewritten(new Map([...known, ...published]), state, window.start),
          skipped,
        },
      };
    },
  };
}

/** Published rows that have another finish than when they were published. */
function rewritten(
  siblings: ReadonlyMap<number, Seconds>,
  state: CellState | undefined,
  windowStart: Seconds,
): number {
  if (state === undefined) return 0;
  const wasOpen = new Set(state.openIds);
  let count = 0;
  for (const [id, finish] of siblings) {
    const known = state.siblings.get(id);
    if (known !== undefined) {
      if (known !== finish) count++;
      continue;
    }
    // Published before anyone knew of its namesake, and so with a finish before this window.
    const wasPublished = id < state.nextEventId || state.seenIds.has(id);
    if (wasPublished && !wasOpen.has(id) && finish >= windowStart) count++;
  }
  return count;
}
