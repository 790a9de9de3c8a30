import type { Window } from '../../core/window.ts';
import { DISORDER, firstInstanceAfter, lastIdBefore, readExtent } from './bounds.ts';
import { FINISH } from './event-rows.ts';
import { LAST_ID } from './id-ranges.ts';
import { type CellSchema, readSchema } from './schema.ts';
import type { CellSession } from './session.ts';
import type { CellState } from './state.ts';

/**
 * What a schedule would remember at the start of each range, so that each can then be read by primary key: where its
 * rows begin, and which rows elsewhere finish in it. One scan over the events for all ranges together, which gives
 * back only rows that finish in another range than the one their id lies in; a bisection for each range.
 *
 * @param ranges in order, not overlapping
 * @param hasCopies whether cross-cell resizes may have copied instances between the cells
 */
export async function planCell(
  session: CellSession,
  ranges: readonly Window[],
  hasCopies: boolean,
): Promise<CellState[]> {
  const { query } = session;
  const schema = await readSchema(session);
  const extent = await readExtent(query, schema);
  const firstIds: number[] = [];
  for (const { start } of ranges) {
    const within = { from: firstIds.at(-1) ?? 0, to: extent.endId };
    firstIds.push(await lastIdBefore(query, schema, start - DISORDER, within));
  }
  const elsewhere = await idsElsewhere(session, schema, extent.endId, ranges, firstIds);
  const states: CellState[] = [];
  for (const [nth, range] of ranges.entries()) {
    const firstId = firstIds[nth] ?? 0;
    const ids = (elsewhere[nth] ?? []).toSorted((a, b) => a - b);
    states.push({
      nextEventId: firstId,
      // Read by their ids, so not again should they lie in what is read from the first id on.
      seenIds: new Set(ids.filter((id) => id >= firstId)),
      seenUntil: range.start,
      openIds: ids,
      siblings: new Map(),
      // An instance that is younger than the range has no events in it, unless it is a copy of an older one.
      unarchived: [[0, hasCopies ? LAST_ID : await firstInstanceAfter(query, schema, range.end)]],
    });
  }
  return states;
}

/** A statement must not run into the time-out, however long the history. */
const IDS_PER_STATEMENT = 5_000_000;

/** By range, the ids of rows that finish in it and lie, by their ids, in another or before the first. */
async function idsElsewhere(
  { query }: CellSession,
  schema: CellSchema,
  endId: number,
  ranges: readonly Window[],
  firstIds: readonly number[],
): Promise<number[][]> {
  const found = ranges.map((): number[] => []);
  const starts = ranges.map(({ start }) => start);
  const [from, to] = [starts[0] ?? 0, ranges.at(-1)?.end ?? 0];
  const time = "'1970-01-01' + INTERVAL ? SECOND";
  for (const { events } of schema.tables) {
    for (let first = 0; first < endId; first += IDS_PER_STATEMENT) {
      const rows = await query(
        `SELECT e.id, ${FINISH} FROM ${events} e WHERE e.id >= ? AND e.id < ? ` +
          `AND e.finish_time >= ${time} AND e.finish_time < ${time} ` +
          // INTERVAL() as a function tells between which two of a list a value lies.
          `AND INTERVAL(e.id, ?) <> INTERVAL(${FINISH}, ?)`,
        [first, first + IDS_PER_STATEMENT, from, to, firstIds, starts],
      );
      for (const [id, finish] of rows) {
        const nth = ranges.findLastIndex(({ start }) => start <= Number(finish));
        if (Number(finish) < (ranges[nth]?.end ?? 0)) found[nth]?.push(Number(id));
      }
    }
  }
  return found;
}
