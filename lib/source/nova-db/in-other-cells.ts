import { inGroups } from '../../core/collections/in-groups.ts';
import { IDS_PER_STATEMENT } from './event-rows.ts';
import { LIVE, readSchema } from './schema.ts';
import { DELETED, type ServerRow } from './server-rows.ts';
import type { CellSession } from './session.ts';

/** Finds the servers whose row in another cell is preferred to the given one. */
export type FindPreferred = (rows: readonly ServerRow[]) => Promise<ReadonlySet<string>>;

/**
 * A server may be in two cells: while it moves, or where a failed build is left in cell0. Hidden rows are ignored. A row
 * outside cell0 is preferred to one in it, then a live row to an archived one, then one that is not deleted to a deleted
 * one, then the row of the cell that the secret names first.
 */
export async function otherCellsOf(
  session: CellSession,
  sessions: readonly CellSession[],
): Promise<FindPreferred> {
  const isLast = session.cell === 'cell0';
  const others = sessions.filter((other) => other !== session && other.cell !== 'cell0');
  const asked: { other: CellSession; isFirst: boolean; visible: string }[] = [];
  for (const other of others) {
    const { instanceHidden } = await readSchema(other);
    const isFirst = isLast || sessions.indexOf(other) < sessions.indexOf(session);
    asked.push({ other, isFirst, visible: instanceHidden ? 'AND COALESCE(hidden, 0) = 0' : '' });
  }
  return async (rows) => {
    const found = new Set<string>();
    for (const { other, isFirst, visible } of asked) {
      const isOver = ({ archived, deleted }: ServerRow): boolean => archived || deleted !== null;
      const doubtful = isFirst ? rows : rows.filter(isOver);
      const byUuid = new Map(doubtful.map((row) => [row.uuid, row]));
      for (const some of inGroups([...byUuid.keys()], IDS_PER_STATEMENT)) {
        const there = await other.query(
          `SELECT uuid, ${DELETED} FROM ${LIVE.instances} WHERE uuid IN (?) ${visible}`,
          [some],
        );
        for (const [uuid, deleted] of there) {
          const row = byUuid.get(uuid as string);
          if (row === undefined) continue;
          const goesBefore =
            isLast ||
            row.archived ||
            (deleted === null ? row.deleted !== null || isFirst : row.deleted !== null && isFirst);
          if (goesBefore) found.add(row.uuid);
        }
      }
    }
    return found;
  };
}
