import type { Seconds } from '../../time.ts';
import type { Window } from '../../window.ts';
import { finishedAgain, mayHold } from '../finished-again.ts';
import type { ScheduleState } from '../source.ts';
import { type Parts, fingerprinter } from './fingerprint.ts';
import { recall } from './memory.ts';
import { restoreState } from './state.ts';

/**
 * A backfill beside a schedule: what that has accounted for, in whichever drop, it may make anew; what that is still
 * going to publish would be there twice.
 */
export interface ScheduleView {
  /**
   * The finish that the schedule knows the event by, what Nova has written over that since being no news; null where
   * the schedule is yet to publish it, as late.
   *
   * @param parts what its fingerprint is made of
   * @throws SourceError where it was published with a finish that nobody knows any more
   */
  publishedFinish(parts: Parts, start: Seconds, finish: Seconds, hasNamesake: boolean): Seconds | null;
}

export function scheduleView(schedule: ScheduleState, window: Window): ScheduleView {
  const state = restoreState(schedule.state);
  const fingerprint = fingerprinter(state.salt);
  const horizon = schedule.until - schedule.openHorizonSeconds;
  const memory = recall(state, false, horizon);
  return {
    publishedFinish(parts, start, finish, hasNamesake) {
      const key = fingerprint(...parts);
      const first = memory.finishOf(key);
      if (first !== undefined) return first;
      if (finish < state.completeFrom && !memory.awaited.has(key)) return finish;
      if (!memory.wasPublished(key, start, hasNamesake)) return null;
      // Nova finishes only one of several namesakes again.
      if (hasNamesake && mayHold(window, schedule, state.traceFrom, start))
        throw finishedAgain(schedule.until);
      return finish;
    },
  };
}
