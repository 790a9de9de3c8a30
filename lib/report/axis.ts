/**
 * Positions of the lines across a chart of counts: three to five round numbers, from 0 to at least the highest count.
 */
export function countTicks(highest: number): number[] {
  const rough = Math.max(1, highest) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, ([1, 2, 5, 10].find((n) => n * power >= rough) ?? 10) * power);
  const ticks = [0];
  while ((ticks.at(-1) ?? 0) < highest) ticks.push((ticks.at(-1) ?? 0) + step);
  return ticks.length > 1 ? ticks : [0, 1];
}

/** Number of slots between labels: at most eight spaces, equal if possible. */
export function labelEvery(slots: number): number {
  const least = Math.ceil(slots / 8);
  const even = Array.from({ length: least * 2 }, (_, n) => least + n).find((n) => slots % n === 0);
  return even !== undefined && even < slots ? even : least;
}
