/** A set of ids, most of them consecutive. A range of them takes 16 bytes, however long it is. */
export interface IdSet {
  has(id: number): boolean;
  /** One beyond the greatest; 0 if the set is empty. */
  readonly end: number;
  /** The first and last id of each range, in order. */
  readonly ranges: readonly number[];
}

/** @param ranges the first and last id of each, in order */
export function idSet(ranges: readonly number[]): IdSet {
  return {
    has(id) {
      let [from, to] = [0, ranges.length / 2];
      while (from < to) {
        const middle = Math.floor((from + to) / 2);
        if ((ranges[2 * middle + 1] as number) < id) from = middle + 1;
        else to = middle;
      }
      return from * 2 < ranges.length && (ranges[2 * from] as number) <= id;
    },
    end: (ranges.at(-1) ?? -1) + 1,
    ranges,
  };
}

export interface IdCollector {
  add(id: number): void;
  /** All that were added and are not below `least`. */
  atLeast(least: number): IdSet;
}

/** Collects ids that mostly come in order. @param known ids to begin with */
export function collectIds(known: IdSet | undefined): IdCollector {
  const firsts: number[] = [];
  const lasts: number[] = [];
  for (const [nth, id] of known?.ranges.entries() ?? []) (nth % 2 === 0 ? firsts : lasts).push(id);
  return {
    add(id) {
      const nth = lasts.length - 1;
      const last = lasts[nth] ?? -Infinity;
      if (id === last + 1) lasts[nth] = id;
      else if (id > last || id < (firsts[nth] as number)) {
        firsts.push(id);
        lasts.push(id);
      }
    },
    atLeast(least) {
      const inOrder = Uint32Array.from(firsts.keys()).toSorted(
        (a, b) => (firsts[a] as number) - (firsts[b] as number),
      );
      const ranges: number[] = [];
      for (const nth of inOrder) {
        const [first, last] = [Math.max(firsts[nth] as number, least), lasts[nth] as number];
        if (last < first) continue;
        const end = ranges.at(-1) ?? -Infinity;
        if (first <= end + 1) ranges[ranges.length - 1] = Math.max(end, last);
        else ranges.push(first, last);
      }
      return idSet(ranges);
    },
  };
}
