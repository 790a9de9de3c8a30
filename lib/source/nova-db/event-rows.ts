import { inGroups } from '../../core/collections/in-groups.ts';
import type { Seconds } from '../../core/time.ts';
import type { Query, Row } from './session.ts';
import { type CellSchema, LIVE, SHADOW, type Tables } from './schema.ts';

/** A row of `instance_actions_events`, live or archived, with the instance that its action names. */
export interface EventRow {
  readonly id: number;
  readonly actionId: number | null;
  readonly event: string | null;
  readonly start: Seconds | null;
  /** Null while it is open, or where the time is `0000-00-00`. */
  readonly finish: Seconds | null;
  /** Whether it has finished at a time that is no time. */
  readonly finishIsZero: boolean;
  readonly result: string | null;
  readonly host: string | null;
  /** When the row was inserted; of an ordinary event, the second in which it started. */
  readonly created: Seconds;
  /** Null where the action is gone. */
  readonly instanceUuid: string | null;
  readonly archived: boolean;
}

/** Rows are inserted when their event starts; only a copy is inserted when it has finished. */
export function isCopy({ finish, created }: EventRow, before: Seconds): boolean {
  return finish !== null && finish < before && created > finish;
}

/** Whole seconds since 1970; DATETIME columns hold UTC, and a fraction, where there is one, is cut. */
export const unixSeconds = (column: string): string => `TIMESTAMPDIFF(SECOND, '1970-01-01', ${column})`;

export const START = unixSeconds('COALESCE(e.start_time, e.created_at)');
export const FINISH = unixSeconds('e.finish_time');
/** A conductor with a clock far ahead must not hold back all that follows; then the start has to do. */
export const CREATED = unixSeconds(
  'IF(e.created_at <= UTC_TIMESTAMP() + INTERVAL 1 HOUR, e.created_at, e.start_time)',
);

/** How many values one `IN (…)` names; from 1000 on MariaDB makes a temporary table of them. */
export const IDS_PER_STATEMENT = 900;

/** Rows of one table pair that fit `where` (over the alias `e`), in order of id. */
export async function selectEvents(
  query: Query,
  schema: CellSchema,
  tables: Tables,
  where: string,
  parameters: readonly unknown[],
): Promise<EventRow[]> {
  const archived = tables === SHADOW;
  // Novas before Newton archived table by table, so an archived event's action may still be live.
  const uuid = archived ? 'COALESCE(a.instance_uuid, l.instance_uuid)' : 'a.instance_uuid';
  const liveAction = archived ? `LEFT JOIN ${LIVE.actions} l ON l.id = e.action_id` : '';
  const rows = await query(
    `SELECT e.id, e.action_id, e.event, ${START}, ${FINISH}, e.result, ` +
      `${schema.eventHost ? 'e.host' : 'NULL'}, ${CREATED}, ${uuid}, e.finish_time IS NOT NULL ` +
      `FROM ${tables.events} e LEFT JOIN ${tables.actions} a ON a.id = e.action_id ${liveAction} ` +
      `WHERE ${where} ORDER BY e.id`,
    parameters,
  );
  return rows.map((row) => eventRow(row, archived));
}

/** The rows with these ids, wherever they are now; those that were purged are left out. */
export async function selectEventsById(
  query: Query,
  schema: CellSchema,
  ids: readonly number[],
): Promise<EventRow[]> {
  const found: EventRow[] = [];
  for (const some of inGroups(ids, IDS_PER_STATEMENT)) {
    for (const tables of schema.tables) {
      found.push(...(await selectEvents(query, schema, tables, 'e.id IN (?)', [some])));
    }
  }
  return found;
}

function eventRow(row: Row, archived: boolean): EventRow {
  const [id, actionId, event, start, finish, result, host, created, instanceUuid, isFinished] = row;
  return {
    id: id as number,
    actionId: actionId as number | null,
    event: event as string | null,
    start: start as number | null,
    finish: finish as number | null,
    finishIsZero: finish === null && Number(isFinished) === 1,
    result: result as string | null,
    host: host as string | null,
    created: (created as number | null) ?? 0,
    instanceUuid: instanceUuid as string | null,
    archived,
  };
}
