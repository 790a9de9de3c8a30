import type { RowTally } from '../privacy/identities.ts';

/** Who had the most rows. */
export interface Ranking {
  /** How many there are in all. */
  readonly distinct: number;
  /** The busiest, in order. */
  readonly top: readonly { readonly mask: string; readonly rows: number }[];
  /** Rows that name none. */
  readonly without: number;
}

const TOP = 10;

/**
 * The busiest first; equally busy ones in order of mask, so that the same drop gives the same page.
 *
 * @param rows of the whole drop
 */
export function rank({ all }: { readonly all: ReadonlyMap<string, RowTally> }, rows: number): Ranking {
  const ranked = [...all]
    .map(([mask, tally]) => ({ mask, rows: tally.rows }))
    .toSorted((a, b) => b.rows - a.rows || (a.mask < b.mask ? -1 : 1));
  const named = ranked.reduce((sum, one) => sum + one.rows, 0);
  return { distinct: all.size, top: ranked.slice(0, TOP), without: rows - named };
}
