import * as z from 'zod/mini';
import type { SourceState } from '../source.ts';
import { type IdRange, LAST_ID, mergeIds } from './id-ranges.ts';
import { readStored } from '../stored-state.ts';

/*
 * `deleted_at` has no index, so a window's servers can be found by their ids only. The ids of servers that are not
 * known to be deleted before the window are remembered, as ranges, and a run reads these in both tables: its cost
 * follows the servers that live, and not all that ever lived.
 */

/** Where a cell's next run has to look. */
export type ServerRanges = readonly IdRange[];

/** Where the first run looks. */
export const ALL_SERVERS: ServerRanges = [[0, LAST_ID]];

/** Ids below the highest seen that may belong to rows not committed yet. */
const IN_FLIGHT = 1000;
/** Two ids with fewer others between them make one range: reading a few rows beats another lookup. */
const GAP = 16;
/** With more, the gaps that are read with them grow: the checkpoint is to stay small. */
const MOST_RANGES = 20_000;

/**
 * @param living ids of servers that the next window may have to show
 * @param highest of all ids
 * @param before where this run looked: what lies outside was known to be over
 */
export function nextRanges(living: readonly number[], highest: number, before: ServerRanges): ServerRanges {
  const yetToCome = Math.max(0, highest + 1 - IN_FLIGHT);
  const known = living.filter((id) => id < yetToCome);
  let gap = GAP;
  let ranges = mergeIds(known, gap);
  while (ranges.length > MOST_RANGES) ranges = mergeIds(known, (gap *= 2));
  const open = before
    .filter(([, last]) => last >= yetToCome)
    .map(([first, last]): IdRange => [Math.max(first, yetToCome), last]);
  return [...ranges, ...open];
}

const Stored = z.record(z.string(), z.strictObject({ living: z.array(z.int()) }));

/** Of one cell. */
export function storedRanges(ranges: ServerRanges): { readonly living: number[] } {
  return { living: ranges.flat() };
}

/** @throws StoreError where the checkpoint holds something else */
export function restoreRanges(state: SourceState | undefined): Map<string, ServerRanges> {
  const stored = readStored(Stored, state ?? {}, 'instances', 'not what a database source wrote');
  return new Map(Object.entries(stored).map(([cell, { living }]) => [cell, pairs(living)]));
}

function pairs(flat: readonly number[]): IdRange[] {
  const ranges: IdRange[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) ranges.push([flat[i] ?? 0, flat[i + 1] ?? 0]);
  return ranges;
}
