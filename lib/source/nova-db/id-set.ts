/** A set of ids that lie in runs. It takes 16 bytes a run, however long the run is. */
export interface IdSet {
  has(id: number): boolean;
  /** One beyond the greatest; 0 if the set is empty. */
  readonly end: number;
  /** The first and last id of each run, in order. */
  readonly runs: readonly number[];
}

/** @param runs the first and last id of each, in order */
export function idSet(runs: readonly number[]): IdSet {
  return {
    has(id) {
      let [from, to] = [0, runs.length / 2];
      while (from < to) {
        const middle = Math.floor((from + to) / 2);
        if ((runs[2 * middle + 1] as number) < id) from = middle + 1;
        else to = middle;
      }
      return from * 2 < runs.length && (runs[2 * from] as number) <= id;
    },
    end: (runs.at(-1) ?? -1) + 1,
    runs,
  };
}

export interface IdCollector {
  add(id: number): void;
  /** All that were added and are not below `least`. */
  from(least: number): IdSet;
}

/** Collects ids that mostly come in order. @param known ids to begin with */
export function collectIds(known: IdSet | undefined): IdCollector {
  const firsts: number[] = [];
  const lasts: number[] = [];
  for (const [nth, id] of known?.runs.entries() ?? []) (nth % 2 === 0 ? firsts : lasts).push(id);
  return {
    add(id) {
      const nth = lasts.length - 1;
      const last = lasts[nth] ?? Number.NaN;
      if (id === last + 1) lasts[nth] = id;
      else if (!(id <= last && id >= (firsts[nth] as number))) {
        firsts.push(id);
        lasts.push(id);
      }
    },
    from(least) {
      const inOrder = Uint32Array.from(firsts.keys()).toSorted(
        (a, b) => (firsts[a] as number) - (firsts[b] as number),
      );
      const runs: number[] = [];
      for (const nth of inOrder) {
        const [first, last] = [Math.max(firsts[nth] as number, least), lasts[nth] as number];
        if (last < first) continue;
        const end = runs.at(-1) ?? Number.NaN;
        if (first <= end + 1) runs[runs.length - 1] = Math.max(end, last);
        else runs.push(first, last);
      }
      return idSet(runs);
    },
  };
}
