import { inGroups } from '../../core/collections/in-groups.ts';
import type { Seconds } from '../../core/time.ts';
import type { Window } from '../../core/window.ts';
import { DISORDER, type Extent } from './bounds.ts';
import type { CellSession } from './session.ts';
import { CREATED, type EventRow, FINISH, IDS_PER_STATEMENT, START, unixSeconds } from './event-rows.ts';
import { type CellSchema, LIVE, SHADOW } from './schema.ts';

/**
 * A cross-cell resize copies an instance with all its actions and events into the other cell's database, under new
 * ids, and later deletes the first for good. Of several rows for one event the one inserted first counts. And a
 * copy of an event that finished before this window counts for nothing, for its original was there when that was
 * extracted; where the original is gone by now, the instance tells: it was inserted after the event had finished.
 *
 * @param others cells that the copies may have come from
 * @param archivedIds of instances in the shadow table, by uuid
 */
export async function findClones(
  rows: readonly EventRow[],
  session: CellSession,
  others: readonly CellSession[],
  window: Window,
  archivedIds: ReadonlyMap<string, number>,
): Promise<ReadonlySet<number>> {
  const clones = new Set<number>();
  // One may be copied in the very second in which it finishes.
  const mayBeCopy = ({ finish, created }: EventRow): boolean =>
    finish !== null && finish < window.end && created >= finish;
  const copies = others.length === 0 ? [] : rows.filter(mayBeCopy);
  if (copies.length === 0) return clones;

  const firsts = await firstInserted(copies, others);
  const orphans: EventRow[] = [];
  for (const row of copies) {
    const { id, instanceUuid, event, start, finish, created } = row;
    const first = firsts.get([instanceUuid, event, start, finish].join('|'));
    const isLater =
      first !== undefined &&
      (first.created < created || (first.created === created && first.cell < session.cell));
    if (isLater) clones.add(id);
    else if ((finish ?? 0) < window.start && created > (finish ?? 0)) orphans.push(row);
  }
  if (orphans.length === 0) return clones;
  const inserted = await insertedAt(session, orphans, archivedIds);
  for (const { id, instanceUuid, finish } of orphans)
    if ((inserted.get(instanceUuid ?? '') ?? -Infinity) >= (finish ?? 0)) clones.add(id);
  return clones;
}

/** When the instances of these rows were inserted in their cell, by uuid. */
async function insertedAt(
  { query }: CellSession,
  rows: readonly EventRow[],
  archivedIds: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, Seconds>> {
  const uuids = [...new Set(rows.flatMap(({ instanceUuid }) => instanceUuid ?? []))];
  const times = new Map<string, Seconds>();
  const lookUp = async (table: string, column: string, keys: readonly (string | number)[]): Promise<void> => {
    for (const some of inGroups(keys, IDS_PER_STATEMENT)) {
      const found = await query(
        `SELECT i.uuid, ${unixSeconds('i.created_at')} FROM ${table} i WHERE i.${column} IN (?)`,
        [some],
      );
      for (const [uuid, created] of found) times.set(String(uuid), Number(created ?? 0));
    }
  };
  const archived = uuids.flatMap((uuid) => archivedIds.get(uuid) ?? []);
  await lookUp(SHADOW.instances, 'id', archived);
  await lookUp(LIVE.instances, 'uuid', uuids);
  return times;
}

/** Copies beyond what a window reads, by id, with their finish, and up to which id they were looked for. */
export interface PendingCopies {
  readonly copies: ReadonlyMap<number, Seconds>;
  readonly copiesTo: number;
}

/**
 * Looks beyond what the window reads for copies of events, each row once. They have to be known while the originals may
 * still be there: the next window could not tell whether it was the original that was published. In a backlog they wait
 * until the window comes in which they finished.
 *
 * @param known of the last window
 * @param from first id beyond this window
 */
export async function lookForCopies(
  { query }: CellSession,
  others: readonly CellSession[],
  schema: CellSchema,
  known: PendingCopies | undefined,
  from: number,
  { endId }: Extent,
): Promise<PendingCopies> {
  if (others.length === 0) return { copies: new Map(), copiesTo: 0 };
  const copies = new Map([...(known?.copies ?? [])].filter(([id]) => id >= from));
  const first = Math.max(from, known?.copiesTo ?? 0);
  // A span reaches ten minutes beyond its window, so what finished in it and lies beyond is older than its row by more.
  const where = `e.id >= ? AND e.id < ? AND e.finish_time < e.created_at - INTERVAL ${DISORDER / 2} SECOND`;
  for (const { events } of first < endId ? schema.tables : []) {
    const rows = await query(`SELECT e.id, ${FINISH} FROM ${events} e WHERE ${where}`, [first, endId]);
    for (const [id, finish] of rows) if (typeof finish === 'number') copies.set(Number(id), finish);
  }
  return { copies, copiesTo: Math.max(first, endId) };
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
