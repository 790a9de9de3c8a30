import type { EventRow } from './event-rows.ts';

/**
 * Leaves out archived rows that are live as well: an event that was un-archived or copied by hand is in both tables. Two
 * rows of one id that differ are two events, for the id was given again.
 */
export function distinctRows(rows: readonly EventRow[]): readonly EventRow[] {
  const archived = rows.filter((row) => row.archived);
  if (archived.length === 0 || archived.length === rows.length) return rows;
  const live = new Map(rows.filter((row) => !row.archived).map((row) => [row.id, row]));
  return rows.filter((row) => !row.archived || !isSameRow(row, live.get(row.id)));
}

/** Keeps the rows that were not read before in another way. */
export function withoutRows(
  rows: readonly EventRow[],
  first: ReadonlyMap<number, EventRow[]>,
): readonly EventRow[] {
  if (first.size === 0) return rows;
  return rows.filter((row) => first.get(row.id)?.some((other) => isSameRow(row, other)) !== true);
}

function isSameRow(a: EventRow, b: EventRow | undefined): boolean {
  return a.start === b?.start && a.created === b.created && a.actionId === b.actionId && a.event === b.event;
}
