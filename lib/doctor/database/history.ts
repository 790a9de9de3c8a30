import { type Extent, firstIdAfter, readExtent } from '../../source/nova-db/bounds.ts';
import { type CellSchema, LIVE, SHADOW, readSchema } from '../../source/nova-db/schema.ts';
import type { CellSession } from '../../source/nova-db/session.ts';
import { DAY, isoDate } from '../../core/time.ts';
import { counted, duration, now } from '../amounts.ts';
import type { Finding, Teller } from '../finding.ts';

/** An event that is open for longer is abandoned; `openHorizonDays` changes that. */
const HORIZON_DAYS = 30;

/** No time is indexed, so open events are searched among this many ids, which takes about a second. */
const IDS_LOOKED_THROUGH = 1_000_000;

/** The first and last event of a cell, live and archived. */
export async function* examineHistory(
  session: CellSession,
  tell: Teller,
): AsyncGenerator<Finding, void, void> {
  const schema = await readSchema(session);
  const live = { ...schema, tables: [LIVE] };
  const all = await readExtent(session.query, schema);
  if (all.oldestStart === null) {
    yield tell.fine('history', 'no event yet');
    return;
  }
  const age = all.newestCreated === null ? '' : `, the newest ${ago(all.newestCreated)}`;
  yield tell.fine('history', `events ${span(all)}${age}`);
  if (schema.tables.includes(SHADOW)) {
    const archived = await readExtent(session.query, { ...schema, tables: [SHADOW] });
    yield tell.fine(
      'archived history',
      archived.oldestStart === null
        ? 'none: nothing is archived, or what was is purged'
        : `events ${span(archived)}, read like live ones`,
    );
  }
  yield* openEvents(session, live, tell);
}

function span({ oldestStart, newestCreated }: Extent): string {
  const [from, to] = [oldestStart, newestCreated].map((time) => (time === null ? '?' : isoDate(time)));
  return `from ${from} to ${to}`;
}

function ago(time: number): string {
  const age = now() - time;
  return age < 0 ? `${duration(age)} in the future` : `${duration(age)} ago`;
}

/** Nova leaves events open for ever when a compute dies, and where a build is tried again. */
async function* openEvents(
  { query }: CellSession,
  live: CellSchema,
  tell: Teller,
): AsyncGenerator<Finding, void, void> {
  const { endId } = await readExtent(query, live);
  const horizon = Math.floor(now()) - HORIZON_DAYS * DAY;
  const end = await firstIdAfter(query, live, horizon, { from: 0, to: endId });
  const from = Math.max(0, end - IDS_LOOKED_THROUGH);
  const [row] = await query(
    `SELECT COUNT(*) FROM ${LIVE.events} e WHERE e.id >= ? AND e.id < ? AND e.finish_time IS NULL`,
    [from, end],
  );
  const open = Number(row?.[0] ?? 0);
  const among = from > 0 ? `, among the last ${counted(IDS_LOOKED_THROUGH, 'id')} before` : '';
  const found =
    open === 0
      ? `none for more than ${HORIZON_DAYS} days${among}`
      : `${open} for more than ${HORIZON_DAYS} days${among}: left behind by a compute that died, for example; in no drop`;
  yield tell.fine('open events', found);
}
