import type { Seconds } from '../../core/time.ts';
import type { Window } from '../../core/window.ts';
import type { ReadRequest, SourceCounts } from '../source.ts';
import { DISORDER } from './bounds.ts';
import { type EventRow, isCopy } from './event-rows.ts';
import { collectIds } from './id-set.ts';
import { isYoungerThan, openSampler } from './identity.ts';
import { openEdge } from './purged.ts';
import type { Sibling } from './siblings.ts';
import type { CellState } from './state.ts';

/**
 * Decides the fate of every row that is read, and remembers what the next window has to know. This is where
 * "exactly once" is kept:
 *
 * - A row inserted before the window's end is accounted for now: published if it has finished by then, carried as
 *   open if not. One inserted later is left to the next window, unless it is a copy of an event that finished
 *   before (`clones.ts`).
 * - The next window starts at the first id inserted within the settle time before this window's end, or before the
 *   newest row that this snapshot shows, where that is older (a replica). What was accounted for from there on is
 *   remembered by id, so that a row which was given a lower id but committed later (Galera, a slow transaction) is
 *   still found, and no other is taken twice.
 * - An id that is accounted for and now holds a younger row was given again (`identity.ts`); that row is new.
 */
export interface Ledger {
  /**
   * Of rows read for the first time, those to publish. To be called in order of id, except for rows that are out of
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
  /** Carried rows that are in no table: gone, or not visible in this snapshot, which then stay. */
  noteMissing(rows: ReadonlyMap<number, Seconds>, areGone: boolean): void;
  openRows(): readonly EventRow[];
  /**
   * @param siblings finished namesakes of open rows, by id, as they are at present
   * @param known the same of those that were known before
   */
  close(
    siblings: ReadonlyMap<number, Sibling>,
    known: ReadonlyMap<number, Sibling>,
  ): {
    state: Pick<CellState, 'nextEventId' | 'seenIds' | 'open' | 'siblings' | 'samples' | 'edgeId'>;
    counts: Omit<SourceCounts, 'purged'>;
    /** How many rows have ids between the last window's edge and this one's. */
    rowsToEdge: number;
  };
}

export interface LedgerOptions {
  readonly state: CellState | undefined;
  readonly request: Pick<ReadRequest, 'window' | 'begin' | 'openHorizonSeconds' | 'settleSeconds'>;
  /** Every row with a lower id is accounted for, but for those carried as open. */
  readonly accountedTo: number;
  /** When the newest rows of the snapshot were inserted. */
  readonly reached: Seconds;
}

export function openLedger({ state, request, accountedTo, reached }: LedgerOptions): Ledger {
  const { window, openHorizonSeconds, settleSeconds } = request;
  // A cell that is added later begins with its first window, and not with the trace.
  const begin = state === undefined ? Math.max(request.begin, window.start) : request.begin;
  const heldBackFrom = Math.min(window.end, reached) - settleSeconds;
  const open = new Map<number, Seconds>();
  const openRows: EventRow[] = [];
  const taken = collectIds(state?.seenIds);
  const strays = new Map<number, Seconds>();
  const skipped: Record<string, number> = {};
  const sampler = openSampler(window.end);
  const edge = openEdge(window.end, state && { id: state.edgeId, created: window.start });
  let [late, beforeBegin, abandoned, restored] = [0, 0, 0, 0];
  let lowestHeldBack = Infinity;
  let end = accountedTo;

  const skip = (reason: string, rows = 1): void => {
    if (rows > 0) skipped[reason] = (skipped[reason] ?? 0) + rows;
  };
  const carry = (row: EventRow): void => {
    open.set(row.id, startOf(row));
    openRows.push(row);
  };

  /** Whether to publish the row now; otherwise it is carried or given up. */
  const settle = (row: EventRow, clones: ReadonlySet<number>): boolean => {
    if (row.finishIsZero) {
      if (startOf(row) >= begin) skip('noFinishTime');
      return false;
    }
    if (row.finish === null || row.finish >= window.end) {
      const isTooOld = startOf(row) < window.end - openHorizonSeconds;
      if (isTooOld && row.finish === null) abandoned++;
      else carry(row);
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

  /** Whether an earlier window accounted for the row. A row that got its id since was not. */
  const isAccounted = (row: EventRow): boolean => {
    if (state === undefined) return false;
    if (state.open.get(row.id) === startOf(row)) return true;
    if (row.id >= state.nextEventId && !state.seenIds.has(row.id)) return false;
    return !isYoungerThan(window.start, row);
  };

  return {
    take(rows, clones, { outOfOrder = false } = {}) {
      sampler.add(outOfOrder ? rows.toSorted((a, b) => a.id - b.id) : rows);
      return rows.filter((row) => {
        // A row far ahead of those around it has a wrong clock, or they are the last that are read.
        const copy = isCopy(row, window.end);
        const isKnown = isAccounted(row);
        edge.add(row);
        if (row.created >= window.end + DISORDER && !copy) {
          if (!isKnown) strays.set(row.id, startOf(row));
        } else if (row.created >= heldBackFrom) lowestHeldBack = Math.min(lowestHeldBack, row.id);
        // A copy of an event that finished long ago is not published later, and its original may be gone already.
        if (row.created >= window.end && !copy) return false;
        if (row.created < window.end) end = Math.max(end, row.id + 1);
        // Rows come in order of id, so what is below the lowest id held back need not be remembered.
        if (row.id >= lowestHeldBack || outOfOrder) taken.add(row.id);
        if (isKnown) return false;
        if (state !== undefined && (row.id < state.nextEventId || state.seenIds.has(row.id))) restored++;
        return settle(row, clones);
      });
    },
    reread: (rows, clones) => rows.filter((row) => settle(row, clones)),
    skip,
    noteMissing(rows, areGone) {
      if (areGone) skip('eventGone', rows.size);
      else
        for (const [id, start] of rows) {
          if (start < window.end - openHorizonSeconds) abandoned++;
          else open.set(id, start);
        }
    },
    openRows: () => openRows,
    close(siblings, known) {
      const nextEventId = Math.min(lowestHeldBack, end);
      const stillOpen = open.size;
      for (const [id, start] of strays) if (id < nextEventId && !open.has(id)) open.set(id, start);
      const published = new Map([...siblings].filter(([id]) => !open.has(id)));
      const all = new Map([...known, ...published]);
      return {
        state: {
          nextEventId,
          seenIds: taken.atLeast(nextEventId),
          open,
          siblings: new Map(
            [...all].flatMap(([id, { finish }]): [number, Seconds][] => {
              // By the window of that finish its namesake may be gone: archived, or given up.
              const isBeyond = finish >= window.end;
              const settled = isBeyond ? state?.siblings.get(id) : published.get(id)?.finish;
              return settled === undefined ? [] : [[id, settled]];
            }),
          ),
          samples: sampler.samples(state?.samples ?? []),
          edgeId: edge.id() ?? end,
        },
        counts: {
          late,
          beforeBegin,
          abandoned,
          stillOpen,
          rewritten: countRewritten(all, state, window),
          restored,
          skipped,
        },
        rowsToEdge: edge.rows(),
      };
    },
  };
}

function startOf({ start, created }: EventRow): Seconds {
  return start ?? created;
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
  return [...siblings].filter(([id, { finish, namesakeStart }]) => {
    if (finish >= window.end) return false;
    const known = state.siblings.get(id);
    if (known !== undefined) return known !== finish;
    // Published before its namesake was known, and so with a finish before this window.
    const wasPublished = id < state.nextEventId || state.seenIds.has(id);
    if (!wasPublished || state.open.has(id)) return false;
    // If its namesake came late as well: with a finish before the namesake began.
    return finish >= Math.min(window.start, namesakeStart);
  }).length;
}
