import { DAY, type Seconds } from '../core/time.ts';
import { type Window, floorTo } from '../core/window.ts';

/**
 * A plan for next month is in every drop until then, and as good as a name: where masks do not join, times outside of the
 * window are cut to the day.
 */
export function cutPlans(exact: Window | undefined): (time: Seconds) => Seconds {
  if (exact === undefined) return (time) => time;
  return (time) => (time >= exact.start && time < exact.end ? time : floorTo(time, DAY));
}

/**
 * A creation time is nearly a name: with exact times every server could be followed through drops whose masks do not
 * join. There, times before the window are cut to the day.
 *
 * @param exact the window; undefined where masks join, and all times stay exact
 */
export function cutTimes(exact: Window | undefined): (time: Seconds | null) => Seconds | null {
  if (exact === undefined) return (time) => time;
  return (time) => (time === null || time >= exact.start ? time : floorTo(time, DAY));
}
