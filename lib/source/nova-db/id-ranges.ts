/** First and last id, inclusive. */
export type IdRange = readonly [first: number, last: number];

/** Beyond any id of Nova's 32-bit keys: the open end of the last range. */
export const LAST_ID = 2 ** 31 - 1;

/** The fewest ranges that hold exactly these ids. */
export function rangesOfIds(ids: Iterable<number>): IdRange[] {
  return mergeIds(ids, 0);
}

/** Ranges that hold these ids and, to be fewer, up to `gap` others between two of them. */
export function mergeIds(ids: Iterable<number>, gap: number): IdRange[] {
  const ranges: [number, number][] = [];
  let current: [number, number] | undefined;
  for (const id of Float64Array.from(ids).toSorted()) {
    if (current !== undefined && id <= current[1] + 1 + gap) current[1] = id;
    else ranges.push((current = [id, id]));
  }
  return ranges;
}

/** The same ids in fewer ranges, with up to `gap` others between two of them. */
export function mergeRanges(ranges: readonly IdRange[], gap: number): IdRange[] {
  const merged: [number, number][] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const current = merged.at(-1);
    if (current !== undefined && first <= current[1] + 1 + gap) current[1] = Math.max(current[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

export function idsOfRanges(ranges: Iterable<IdRange>): number[] {
  const ids: number[] = [];
  for (const [first, last] of ranges) for (let id = first; id <= last; id++) ids.push(id);
  return ids;
}

/** The part of the ranges below `id`. */
export function rangesBelow(ranges: readonly IdRange[], id: number): IdRange[] {
  return ranges
    .filter(([first]) => first < id)
    .map(([first, last]): IdRange => [first, Math.min(last, id - 1)]);
}

/** All ids that lie in none of the ranges, which are in order. */
export function rangesBetween(ranges: readonly IdRange[]): IdRange[] {
  const between: IdRange[] = [];
  let next = 0;
  for (const [first, last] of ranges) {
    if (first > next) between.push([next, first - 1]);
    next = Math.max(next, last + 1);
  }
  if (next <= LAST_ID) between.push([next, LAST_ID]);
  return between;
}
