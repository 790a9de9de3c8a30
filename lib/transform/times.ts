import { DAY, type Seconds } from '../core/time.ts';
import { floorTo } from '../core/window.ts';

/**
 * A creation time is nearly a name: with exact times every server could be followed through drops whose masks do not
 * join. There, times before the window are cut to the day.
 *
 * @param exactFrom start of the window; undefined where masks join, and all times stay exact
 */
export function cutTimes(exactFrom: Seconds | undefined): (time: Seconds | null) => Seconds | null {
  if (exactFrom === undefined) return (time) => time;
  return (time) => (time === null || time >= exactFrom ? time : floorTo(time, DAY));
}
