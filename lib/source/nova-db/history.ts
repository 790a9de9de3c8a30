import type { Window } from '../../core/window.ts';
import type { History } from '../source.ts';
import type { Seconds } from '../../core/time.ts';
import { type Extent, firstIdAfter, lastIdBefore, readExtent, shortSpans } from './bounds.ts';
import { FINISH } from './event-rows.ts';
import { purgedOf } from './purged.ts';
import { type CellSchema, readSchema } from './schema.ts';
import type { CellSession } from './session.ts';

/** How far back a cell goes, and about how many ids its events of a range have: by bisection, whatever its size. */
export async function historyOf(session: CellSession, range: Window): Promise<History> {
  const schema = await readSchema(session);
  const extent = await readExtent(session.query, schema);
  const all = { from: 0, to: extent.endId };
  const from = await lastIdBefore(session.query, schema, range.start, all);
  const to = await firstIdAfter(session.query, schema, range.end, { from, to: all.to });
  if (extent.oldestStart === null) return { from: null, events: 0, purged: null };
  const [purged = null] = await purgedOf(session, schema, extent, [range]);
  const oldest = extent.oldestStart;
  // Before anything is called gone, the server is asked: the oldest row may have a wrong clock.
  const since =
    oldest <= range.start ? oldest : Math.min(oldest, await oldestFinish(session, schema, extent));
  return { from: since, events: to - from, purged };
}

async function oldestFinish({ query }: CellSession, schema: CellSchema, { endId }: Extent): Promise<Seconds> {
  let oldest = Infinity;
  for (const { events } of schema.tables) {
    for (const { from, to } of shortSpans({ from: 0, to: endId })) {
      const [row] = await query(`SELECT MIN(${FINISH}) FROM ${events} e WHERE e.id >= ? AND e.id < ?`, [
        from,
        to,
      ]);
      if (typeof row?.[0] === 'number') oldest = Math.min(oldest, row[0]);
    }
  }
  return oldest;
}
