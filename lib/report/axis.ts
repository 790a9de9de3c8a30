/** Steps between lines, times a power of ten. 2.5 is none of one: counts are whole. */
const STEPS = [1, 2, 2.5, 5, 10];
const MOST_SPACES = 5;

/**
 * Positions of the lines across a chart of counts: round whole numbers, at most six. The first is at or below `lowest`,
 * the last at or below `highest`, where the chart ends: nothing is wasted above what is shown.
 */
export function countTicks(highest: number, lowest = 0): number[] {
  const top = Math.max(lowest + 1, highest);
  const rough = (top - lowest) / MOST_SPACES;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = STEPS.map((n) => n * power).find((n) => n >= rough && n >= 1 && Number.isInteger(n)) ?? 1;
  const first = Math.floor(lowest / step) * step;
  return Array.from({ length: Math.floor((top - first) / step) + 1 }, (_, nth) => first + nth * step);
}

/** Number of slots between labels: at most eight spaces, equal if possible. */
export function labelEvery(slots: number): number {
  const least = Math.ceil(slots / 8);
  const even = Array.from({ length: least * 2 }, (_, n) => least + n).find((n) => slots % n === 0);
  return even !== undefined && even < slots ? even : least;
}
