import type { Seconds } from '../../time.ts';
import { type Window, floorTo } from '../../window.ts';
import { DISORDER, firstInstanceAfter, lastIdBefore, readExtent } from './bounds.ts';
import { CREATED, FINISH, START } from './event-rows.ts';
import { readSchema } from './schema.ts';
import type { CellSession } from './session.ts';
import type { CellState } from './state.ts';

/**
 * What a schedule would remember at the start of each range, so that each can then be read by primary key: where its
 * rows begin, and which rows below finish in it (stragglers). One scan over the events for all ranges together,
 * which gives back only what crosses the edge of a window; a bisection for each range.
 *
 * @param ranges in order, not overlapping, from edge to edge of windows
 * @param windowSeconds length of a window
 */
export async function planCell(
  session: CellSession,
  ranges: readonly Window[],
  windowSeconds: Seconds,
): Promise<CellState[]> {
  const { query } = session;
  const schema = await readSchema(session);
  const extent = await readExtent(query, schema);
  const all = { from: 0, to: extent.endId };
  const firstIds: number[] = [];
  for (const { start } of ranges) {
    firstIds.push(
      await lastIdBefore(query, schema, start - DISORDER, { ...all, from: firstIds.at(-1) ?? 0 }),
    );
  }
  const [from, until] = [ranges[0]?.start ?? 0, ranges.at(-1)?.end ?? 0];
  const stragglers = ranges.map((): number[] => []);
  const begun = `LEAST(${START}, ${CREATED})`;
  for (const { events } of schema.tables) {
    const rows = await query(
      `SELECT e.id, ${FINISH} FROM ${events} e WHERE e.id < ? ` +
        `AND e.finish_time >= '1970-01-01' + INTERVAL ? SECOND AND e.finish_time < '1970-01-01' + INTERVAL ? SECOND ` +
        `AND ${FINISH} DIV ? <> (${begun} - ?) DIV ?`,
      [firstIds.at(-1) ?? 0, from, until, windowSeconds, 2 * DISORDER, windowSeconds],
    );
    for (const [id, finish] of rows) {
      const nth = ranges.findLastIndex(({ start }) => start <= floorTo(Number(finish), windowSeconds));
      const range = ranges[nth];
      if (range === undefined || Number(finish) >= range.end) continue;
      if (Number(id) < (firstIds[nth] ?? 0)) stragglers[nth]?.push(Number(id));
    }
  }
  const states: CellState[] = [];
  for (const [nth, range] of ranges.entries()) {
    states.push({
      nextEventId: firstIds[nth] ?? 0,
      traceFrom: range.start,
      seenIds: new Set(),
      seenUntil: range.start,
      openIds: (stragglers[nth] ?? []).toSorted((a, b) => a - b),
      siblings: new Map(),
      // An instance that is younger than the range has no events in it.
      unarchived: [[0, await firstInstanceAfter(query, schema, range.end)]],
    });
  }
  return states;
}
