import type { Window } from '../../core/window.ts';
import type { History } from '../source.ts';
import { firstIdAfter, lastIdBefore, readExtent } from './bounds.ts';
import { readSchema } from './schema.ts';
import type { CellSession } from './session.ts';

/** How far back a cell goes, and about how many ids its events of a range have: by bisection, whatever its size. */
export async function historyOf(session: CellSession, range: Window): Promise<History> {
  const schema = await readSchema(session);
  const extent = await readExtent(session.query, schema);
  const all = { from: 0, to: extent.endId };
  const from = await lastIdBefore(session.query, schema, range.start, all);
  const to = await firstIdAfter(session.query, schema, range.end, { from, to: all.to });
  return { from: extent.oldestStart, events: extent.oldestStart === null ? 0 : to - from };
}
