import { SourceError } from '../errors.ts';
import { type Seconds, iso } from '../time.ts';
import type { Window } from '../window.ts';
import type { ScheduleState } from './source.ts';

/** An event that a schedule has published up to `until`, and that Nova has written another finish over since. */
export function finishedAgain(until: Seconds): SourceError {
  return new SourceError(
    `an event of the range has been finished again since ${iso(until)}, after it was published, so that nobody can ` +
      'tell any more in which window; the next run of the schedule will note it, and after that the range can be ' +
      'asked for again',
    { transient: false },
  );
}

/** Whether a drop of a window may hold an event of a schedule's by a finish that has been written over since. */
export function mayHold(
  window: Window,
  { until, openHorizonSeconds }: Pick<ScheduleState, 'until' | 'openHorizonSeconds'>,
  traceFrom: Seconds,
  start: Seconds,
): boolean {
  return window.end > traceFrom && start < window.end && start >= until - openHorizonSeconds;
}
