/** First and last id, both included. */
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

export function idsOfRanges(ranges: Iterable<IdRange>): number[] {
  const ids: number[] = [];
  for (const [first, last] of ranges) for (let id = first; id <= last; id++) ids.push(id);
  return ids;
}

/** The ranges without these ids. */
export function withoutIds(ranges: readonly IdRange[], ids: Iterable<number>): IdRange[] {
  const gone = Float64Array.from(ids).toSorted();
  const left: IdRange[] = [];
  let at = 0;
  for (const [first, last] of ranges) {
    let from = first;
    while (at < gone.length && (gone[at] ?? 0) < first) at++;
    while (at < gone.length && (gone[at] ?? 0) <= last) {
      const id = gone[at++] ?? 0;
      if (id > from) left.push([from, id - 1]);
      from = id + 1;
    }
    if (from <= last) left.push([from, last]);
  }
  return left;
}
