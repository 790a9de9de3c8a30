import { MINUTE } from '../../time.ts';
import type { Window } from '../../window.ts';
import type { CellSession, Query } from './session.ts';
import { CREATED, type EventRow, FINISH, IDS_PER_STATEMENT, START, inGroups } from './event-rows.ts';
import { LIVE } from './schema.ts';

/**
 * A cross-cell resize copies an instance with all its actions and events into the other cell's database, under
 * new ids. The copies were inserted after they had finished, as no other row is. Such a row is a clone if its
 * original is still in another cell, or if it finished before this window and so was published from there.
 */
export async function findClones(
  rows: readonly EventRow[],
  others: readonly CellSession[],
  window: Window,
): Promise<ReadonlySet<number>> {
  const clones = new Set<number>();
  if (others.length === 0) return clones;
  const suspects = rows.filter(({ finish, created }) => finish !== null && created > finish);
  if (suspects.length === 0) return clones;

  const originals = new Set<string>();
  const uuids = [
    ...new Set(suspects.map(({ instanceUuid }) => instanceUuid).filter((uuid) => uuid !== null)),
  ];
  for (const some of inGroups(uuids, IDS_PER_STATEMENT)) {
    const found = await Promise.all(others.map(({ query }) => originalsOf(query, some)));
    for (const original of found.flat()) originals.add(original);
  }
  for (const { id, instanceUuid, event, start, finish, created } of suspects) {
    const hasOriginal = originals.has([instanceUuid, event, start, finish].join('|'));
    const isOld = finish !== null && finish < window.start && created > finish + MINUTE;
    if (hasOriginal || isOld) clones.add(id);
  }
  return clones;
}

/** Finished events of these instances that are no copies themselves, as `uuid|event|start|finish`. */
async function originalsOf(query: Query, uuids: readonly string[]): Promise<string[]> {
  const rows = await query(
    `SELECT a.instance_uuid, e.event, ${START}, ${FINISH} FROM ${LIVE.actions} a ` +
      `JOIN ${LIVE.events} e ON e.action_id = a.id ` +
      `WHERE a.instance_uuid IN (?) AND ${CREATED} <= ${FINISH}`,
    [uuids],
  );
  return rows.map((row) => row.join('|'));
}
