import type { Seconds } from '../../time.ts';
import type { Window } from '../../window.ts';
import { finishedAgain, mayHold } from '../finished-again.ts';
import { isOldCopy } from './clones.ts';
import type { EventRow } from './event-rows.ts';
import type { CellState } from './state.ts';

/** Where a schedule stands in one cell. */
export interface CellSchedule {
  /** End of the last window that it published. */
  readonly until: Seconds;
  readonly state: CellState;
  readonly openHorizonSeconds: Seconds;
}

/**
 * A backfill beside a schedule: what that has accounted for, in whichever drop, it may make anew; what that is still
 * going to publish would be there twice.
 */
export interface ScheduleView {
  /** The row with the finish that the schedule knows it by: what Nova has written over that since is not published. */
  asPublished(row: EventRow): EventRow;
  /** Whether the schedule is yet to publish this finished row, as late. */
  brings(row: EventRow): boolean;
  /** @throws SourceError where the row was published with a finish that nobody knows any more */
  refuseLost(row: EventRow, window: Window): void;
}

/** @param hasOthers whether events may have been copied from other cells */
export function scheduleView(
  schedule: CellSchedule | undefined,
  hasOthers: boolean,
): ScheduleView | undefined {
  if (schedule === undefined) return undefined;
  const { until, state } = schedule;
  const open = new Set(state.openIds);
  const isAccounted = (id: number): boolean =>
    !open.has(id) && (id < state.nextEventId || state.seenIds.has(id));
  return {
    asPublished(row) {
      const finish = state.siblings.get(row.id) ?? row.finish;
      return finish === row.finish ? row : { ...row, finish };
    },
    brings(row) {
      if (row.finish === null || row.finish < state.traceFrom || isAccounted(row.id)) return false;
      return !(hasOthers && isOldCopy(row, until, state.seenUntil));
    },
    refuseLost(row, window) {
      if (row.finish === null || row.finish < until || !isAccounted(row.id)) return;
      if (mayHold(window, schedule, state.traceFrom, row.start ?? row.created)) throw finishedAgain(until);
    },
  };
}

/** Published rows of a window that lie before what is read for it, and that Nova may since have moved out of it. */
export function movedOutOf(
  window: Window,
  state: CellState | undefined,
  schedule: CellSchedule | undefined,
): number[] {
  if (state === undefined || schedule === undefined) return [];
  const known = new Set(state.openIds);
  return [...schedule.state.siblings]
    .filter(([id, finish]) => finish >= window.start && finish < window.end && id < state.nextEventId)
    .map(([id]) => id)
    .filter((id) => !known.has(id));
}
