import { SourceError } from '../../core/errors.ts';
import type { Seconds } from '../../core/time.ts';
import type { Window } from '../../core/window.ts';
import type { Server } from '../../tables/instances/row.ts';
import { placeOf } from '../../tables/instances/place.ts';
import { reservationOf } from '../../tables/instances/reservation.ts';
import { unixSeconds } from './event-rows.ts';
import { type CellSchema, SHADOW } from './schema.ts';
import type { CellSession, Row } from './session.ts';

/** A server that was not deleted before a window, live or archived. */
export interface ServerRow {
  readonly id: number;
  readonly archived: boolean;
  /** The hidden row of a server that moves between cells. Nova shows the other row. */
  readonly hidden: boolean;
  readonly created: Seconds | null;
  /** At any time. */
  readonly deleted: Seconds | null;
  readonly uuid: string;
  readonly columns: Row;
}

/** When a server was deleted, in seconds; NULL for a live one. */
export const DELETED = unixSeconds(
  'COALESCE(deleted_at, IF(COALESCE(deleted, 0) = 0, NULL, COALESCE(updated_at, created_at)))',
);
export const CREATED = unixSeconds('created_at');

/**
 * Servers of an interval of ids that were not deleted before a time, in no order.
 *
 * @param where of the ids
 * @throws SourceError (transient) where other than the rows came that the server counted
 */
export async function selectServers(
  session: CellSession,
  schema: CellSchema,
  since: Seconds,
  where: string,
  parameters: readonly unknown[],
): Promise<ServerRow[]> {
  const found = new Map<number, ServerRow>();
  // Live rows come first, and an archived one of the same id is not taken.
  for (const { instances } of schema.tables) {
    const archived = instances === SHADOW.instances;
    const from = `FROM ${instances} WHERE ${where} AND (${DELETED} IS NULL OR ${DELETED} >= ?)`;
    const rows = await session.query(
      `SELECT id, ${schema.instanceHidden ? 'COALESCE(hidden, 0)' : '0'}, ${CREATED}, ${DELETED}, uuid, ` +
        `${unixSeconds('launched_at')}, vm_state, hostname, user_id, project_id, host, node, memory_mb, root_gb, ` +
        `vcpus, availability_zone ${from}`,
      [...parameters, since],
    );
    const [counted] = await session.query(`SELECT COUNT(*) ${from}`, [...parameters, since]);
    if (rows.length !== Number(counted?.[0])) {
      throw new SourceError(
        `cell ${session.cell}: ${instances} gave ${rows.length} rows of ${counted?.[0]} counted; the stream was cut`,
        { transient: true },
      );
    }
    for (const [id, hidden, created, deleted, uuid, ...columns] of rows) {
      if (found.has(id as number)) continue;
      found.set(id as number, {
        id: id as number,
        archived,
        hidden: Number(hidden) !== 0,
        created: created as number | null,
        deleted: deleted as number | null,
        uuid: uuid as string,
        columns,
      });
    }
  }
  return [...found.values()];
}

/** Whether a server existed in the window, by its row. */
export function existedIn({ created, deleted }: ServerRow, { start, end }: Window): boolean {
  return (created ?? -Infinity) < end && (deleted ?? Infinity) >= start;
}

/** The row as it was at the window's end: what happened later is left out. */
export function serverOf({ uuid, created, deleted, columns }: ServerRow, { end }: Window): Server {
  const [launched, state, hostname, userId, projectId, host, node, memoryMb, rootGb, vcpus, zone] = columns;
  const isKnown = deleted === null || deleted < end;
  return {
    uuid,
    created,
    launched: launched as number | null,
    deleted: isKnown ? deleted : null,
    state: isKnown ? (state as string | null) : null,
    hostname: hostname as string | null,
    userId: userId as string | null,
    projectId: projectId as string | null,
    host: host as string | null,
    node: node as string | null,
    memoryMb: memoryMb as number | null,
    rootGb: rootGb as number | null,
    vcpus: vcpus as number | null,
    reservationId: reservationOf({ zone: zone as string | null }),
    place: placeOf(created),
  };
}
