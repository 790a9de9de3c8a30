import { inGroups } from '../../core/collections/in-groups.ts';
import { MINUTE, type Seconds } from '../../core/time.ts';
import type { Window } from '../../core/window.ts';
import type { Extent, IdSpan } from './bounds.ts';
import type { CellSession } from './session.ts';
import { CREATED, type EventRow, FINISH, IDS_PER_STATEMENT, START, selectEvents } from './event-rows.ts';
import { type CellSchema, LIVE } from './schema.ts';

/**
 * A cross-cell resize copies an instance with all its actions and events into the other cell's database, under new
 * ids, and later deletes the first for good. Of several rows for one event the one inserted first counts. And a
 * copy of an event that finished before this window counts for nothing if it was made after that was extracted,
 * for then the original was still there.
 *
 * @param seenUntil when the newest row was inserted that the last extraction could see
 */
export async function findClones(
  rows: readonly EventRow[],
  session: CellSession,
  others: readonly CellSession[],
  window: Window,
  seenUntil: Seconds,
): Promise<ReadonlySet<number>> {
  const clones = new Set<number>();
  // One may be copied in the very second in which it finishes.
  const mayBeCopy = ({ finish, created }: EventRow): boolean =>
    finish !== null && finish < window.end && created >= finish;
  const copies = others.length === 0 ? [] : rows.filter(mayBeCopy);
  if (copies.length === 0) return clones;

  const firsts = await firstInserted(copies, others);
  for (const { id, instanceUuid, event, start, finish, created } of copies) {
    const first = firsts.get([instanceUuid, event, start, finish].join('|'));
    const isLater =
      first !== undefined &&
      (first.created < created || (first.created === created && first.cell < session.cell));
    if (isLater || isOldCopy({ finish, created }, window.start, seenUntil)) clones.add(id);
  }
  return clones;
}

/** Whether a row was copied after the window in which it finished had been extracted, with its original there. */
export function isOldCopy(
  { finish, created }: Pick<EventRow, 'finish' | 'created'>,
  windowStart: Seconds,
  seenUntil: Seconds,
): boolean {
  return finish !== null && finish < windowStart && created > Math.max(seenUntil, finish + MINUTE);
}

/**
 * Copies, beyond what the window reads, of events that finished before its end. They have to be known while the
 * originals may still be there: the next window could not tell whether it was the original that was published. A
 * day after the other there is little beyond; in a backlog each window looks through all of it.
 */
export async function readCopies(
  session: CellSession,
  others: readonly CellSession[],
  schema: CellSchema,
  { endId }: Extent,
  { to: from }: IdSpan,
  { end }: Window,
): Promise<EventRow[]> {
  const found: EventRow[] = [];
  if (others.length === 0 || from >= endId) return found;
  for (const tables of schema.tables) {
    const where = `e.id >= ? AND e.id < ? AND e.finish_time < e.created_at AND ${FINISH} < ?`;
    found.push(...(await selectEvents(session.query, schema, tables, where, [from, endId, end])));
  }
  return found;
}

interface Inserted {
  readonly created: Seconds;
  readonly cell: string;
}

/** When and in which other cell the same events were inserted first, by `uuid|event|start|finish`. */
async function firstInserted(
  copies: readonly EventRow[],
  others: readonly CellSession[],
): Promise<ReadonlyMap<string, Inserted>> {
  const firsts = new Map<string, Inserted>();
  const uuids = [...new Set(copies.map(({ instanceUuid }) => instanceUuid).filter((uuid) => uuid !== null))];
  for (const { cell, query } of others) {
    for (const some of inGroups(uuids, IDS_PER_STATEMENT)) {
      const rows = await query(
        `SELECT ${CREATED}, a.instance_uuid, e.event, ${START}, ${FINISH} FROM ${LIVE.actions} a ` +
          `JOIN ${LIVE.events} e ON e.action_id = a.id WHERE a.instance_uuid IN (?)`,
        [some],
      );
      for (const [created, ...identity] of rows) {
        const key = identity.join('|');
        const known = firsts.get(key);
        const isFirst = known === undefined || Number(created) < known.created;
        if (isFirst) firsts.set(key, { created: Number(created), cell });
      }
    }
  }
  return firsts;
}
