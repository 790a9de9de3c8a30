import type { Window } from '../../core/window.ts';
import { DISORDER, firstIdAfter, highestServer, lastIdBefore, shortSpans } from './bounds.ts';
import { LAST_ID, mergeIds } from './id-ranges.ts';
import { readSchema } from './schema.ts';
import type { ServerRanges } from './server-ranges.ts';
import { CREATED, DELETED } from './server-rows.ts';
import type { CellSession } from './session.ts';

/**
 * Where each range's servers are, so that its first window need not scan: one scan over all servers, which gives back
 * only those that were alive at the start of a range, and a bisection for each end of a range.
 *
 * @param ranges in order, not overlapping
 * @param hasCopies whether a server may have got a new id, in another cell, long after it was created
 */
export async function planServers(
  session: CellSession,
  ranges: readonly Window[],
  hasCopies: boolean,
): Promise<ServerRanges[]> {
  const { query } = session;
  const schema = await readSchema(session);
  const within = { from: 0, to: (await highestServer(query, schema)) + 1 };
  const starts = ranges.map(({ start }) => start);
  const alive = ranges.map((): number[] => []);
  for (const { instances } of schema.tables) {
    for (const { from, to } of shortSpans(within)) {
      const rows = await query(
        // INTERVAL() as a function tells between which two of a list a value lies.
        `SELECT id, INTERVAL(${CREATED}, ?) AS born, INTERVAL(COALESCE(${DELETED}, ?), ?) AS gone ` +
          `FROM ${instances} WHERE id >= ? AND id < ? HAVING born < gone`,
        [starts, Number.MAX_SAFE_INTEGER, starts, from, to],
      );
      // Alive at the starts from the one after its creation up to the last before its deletion.
      for (const [id, born, gone] of rows)
        for (let nth = Number(born); nth < Number(gone); nth++) alive[nth]?.push(Number(id));
    }
  }
  const planned: ServerRanges[] = [];
  for (const [nth, { start, end }] of ranges.entries()) {
    const from = await lastIdBefore(query, schema, start - DISORDER, within, 'instances');
    const to = hasCopies ? LAST_ID : await firstIdAfter(query, schema, end + DISORDER, within, 'instances');
    const others = (alive[nth] ?? []).filter((id) => id < from || id > to);
    planned.push([...mergeIds(others, 0), [from, to] as const].toSorted(([a], [b]) => a - b));
  }
  return planned;
}
