import { DAY, type Seconds } from '../../core/time.ts';
import { floorTo } from '../../core/window.ts';

/**
 * Where a row goes in its file: by the day, and within a day by chance. In the order of their ids the n-th row of one
 * drop would be the n-th of the next, and every server could be followed through drops whose masks do not join.
 */
export function placeOf(created: Seconds | null): number {
  return floorTo(created ?? 0, DAY) + Math.random() * DAY;
}
