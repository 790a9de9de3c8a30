import type { Seconds } from '../core/time.ts';
import type { Window } from '../core/window.ts';
import type { Basis, Told } from '../tables/told.ts';

/** How events that two reads differ in are dated, and to which window they belong. */
export interface TellingTimes {
  /** Undefined for one that is not for this reader. */
  recorded(time: Seconds, basis?: Basis): Told | undefined;
  /** What goes with an event of which no time is recorded. */
  assumed(time: Seconds): Told;
  /** Undefined where nothing may be told of which no time is recorded. */
  bounded(time: Seconds, notBefore: Seconds): Told | undefined;
  /** What existed when the trace began: no event, but what later ones need. */
  opening(time: Seconds): Told;
  /** Recorded before the window, and not told of then. */
  readonly late: () => number;
  readonly beforeBegin: () => number;
}

/**
 * Rules: a change belongs to the window of its recorded time, and one without to the window in which it is found.
 *
 * @param continues whether a window before this one was read
 * @param begin changes that were recorded earlier are not for this reader
 * @param bounds whether changes are told of which no time is recorded
 */
export function tellTimes({
  continues,
  window,
  begin,
  bounds,
}: {
  readonly continues: boolean;
  readonly window: Window;
  readonly begin: Seconds;
  readonly bounds: boolean;
}): TellingTimes {
  let [late, beforeBegin] = [0, 0];
  const unbounded = { notBefore: null, belongs: window.start };
  return {
    recorded(time, basis = 'recorded') {
      if (continues && time < begin) {
        beforeBegin++;
        return undefined;
      }
      if (continues && time < window.start) late++;
      return { time, notBefore: null, basis, belongs: time };
    },
    assumed: (time) => ({ ...unbounded, time, basis: 'assumed' }),
    bounded(time, notBefore) {
      if (!bounds) return undefined;
      return { time: Math.max(time, notBefore), notBefore, basis: 'bounded', belongs: window.start };
    },
    opening: (time) => ({ ...unbounded, time, basis: 'opening' }),
    late: () => late,
    beforeBegin: () => beforeBegin,
  };
}
