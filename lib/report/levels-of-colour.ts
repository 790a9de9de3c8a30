/** How many colours a map of counts has, from few to many. */
export const LEVELS = 5;

/**
 * The colour of a count among others: 0 for none, else 1 to 5 by where it lies between the least and the most. So days or
 * hosts that are all busy still differ.
 */
export function levelOf(count: number, least: number, most: number): number {
  if (count === 0) return 0;
  if (most <= least) return Math.ceil(LEVELS / 2);
  return 1 + Math.min(LEVELS - 1, Math.floor(((count - least) / (most - least)) * LEVELS));
}
