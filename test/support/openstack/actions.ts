import type { Row } from '../mariadb/index.ts';
import type { Cell } from '../nova/schema.ts';
import { findInCell, hiddenOf, needCell } from './cells.ts';
import { actionTime, queryTime } from './instants.ts';
import type { NovaCall } from './nova.ts';
import { NovaError, badRequest, unexpected } from './nova-errors.ts';
import { limitOf, nextLink } from './paging.ts';
import { type QuerySchema, anyText, checkQuery, dateTime, lastOf, naturalNumber } from './query-schema.ts';
import type { Condition } from './server-filters.ts';
import { hostId } from './server-view.ts';
import { mayLook, noInstance } from './show-server.ts';

/** Source: nova/api/openstack/compute/schemas/instance_actions.py; before 2.58 a query is not even looked at. */
function actionsSchema(minor: number): QuerySchema {
  return {
    properties: {
      limit: naturalNumber,
      marker: anyText,
      'changes-since': dateTime,
      ...(minor < 66 ? {} : { 'changes-before': dateTime }),
    },
    single: true,
    additional: 'refuse',
  };
}

/**
 * `GET /servers/{id}/os-instance-actions`: the actions without their events, newest first
 * (`actions_get` in nova/db/main/api.py).
 */
export async function listActions(call: NovaCall, uuid = ''): Promise<object> {
  if (call.minor < 58) {
    const rows = await actionsOf(call, uuid, []);
    return { instanceActions: rows.map((row) => actionView(call, row)) };
  }
  const params = checkQuery(call.params, actionsSchema(call.minor));
  const [since, before] = ['changes-since', 'changes-before'].map((name) =>
    queryTime(lastOf(params, name) ?? ''),
  );
  if (since !== undefined && before !== undefined && before < since)
    throw badRequest('The value of changes-since must be less than or equal to changes-before.');
  const limit = limitOf(call, params);
  const marker = await findMarker(call, uuid, limit === 0 ? undefined : lastOf(params, 'marker'));
  const conditions: Condition[] = [
    ...(since === undefined ? [] : [{ sql: 'a.updated_at >= ?', params: [since] }]),
    ...(before === undefined ? [] : [{ sql: 'a.updated_at <= ?', params: [before] }]),
    ...(marker === undefined ? [] : [{ sql: '(a.created_at, a.id) < (?, ?)', params: marker }]),
  ];
  const actions = (await actionsOf(call, uuid, conditions, limit)).map((row) => actionView(call, row));
  const ids = actions.map((action) => String(action['request_id']));
  const links = nextLink(call, params, `servers/${uuid}/os-instance-actions`, ids);
  return { instanceActions: actions, ...(links.length === 0 ? {} : { links }) };
}

/** `GET /servers/{id}/os-instance-actions/{request id}`: the newest action of that id, with its events, newest first. */
export async function showAction(call: NovaCall, uuid = '', requestId = ''): Promise<object> {
  const rows = await ofServer(call, uuid, (cell) =>
    cell.query(
      `SELECT ${serverColumns(cell)}, a.*, e.id AS event_id, e.event, e.start_time AS event_start,
              e.finish_time AS event_finish, e.result, e.traceback, ${eventColumn(cell, 'host')}, ${eventColumn(cell, 'details')}
         FROM instances i
         LEFT JOIN instance_actions a ON a.instance_uuid = i.uuid AND a.request_id = ?
         LEFT JOIN instance_actions_events e ON e.action_id = a.id
        WHERE i.uuid = ?
        ORDER BY a.created_at DESC, a.id DESC, e.created_at DESC, e.id DESC`,
      [requestId, uuid],
    ),
  );
  const action = rows[0];
  if (action === undefined || action['id'] === null)
    throw new NovaError(404, `Action ${requestId} not found`);
  // Before 2.51 only administrators were shown the events.
  if (!call.isAdmin && call.minor < 51) return { instanceAction: actionView(call, action) };
  const events = rows
    .filter((row) => row['id'] === action['id'] && row['event_id'] !== null)
    .map((row) => eventView(call, row));
  return { instanceAction: { ...actionView(call, action), events } };
}

function actionsOf(
  call: NovaCall,
  uuid: string,
  conditions: readonly Condition[],
  limit?: number,
): Promise<Row[]> {
  const on = ['a.instance_uuid = i.uuid', ...conditions.map(({ sql }) => sql)].join(' AND ');
  return ofServer(call, uuid, (cell) =>
    cell.query(
      `SELECT ${serverColumns(cell)}, a.* FROM instances i LEFT JOIN instance_actions a ON ${on}
        WHERE i.uuid = ? ORDER BY a.created_at DESC, a.id DESC ${limit === undefined ? '' : 'LIMIT ?'}`,
      [
        ...conditions.flatMap(({ params }) => params),
        uuid,
        ...(limit === undefined ? [] : [Math.max(1, limit)]),
      ],
    ),
  ).then((rows) => rows.filter((row) => row['id'] !== null && limit !== 0));
}

function serverColumns(cell: Cell): string {
  return `i.project_id AS server_project, i.deleted AS server_deleted, ${hiddenOf(cell)} AS is_hidden`;
}

/**
 * The rows that `ask` finds; there is at least one where there is the server.
 *
 * @throws NovaError 404 where there is none, before 2.21 for a deleted one as well, and for another project's
 */
async function ofServer(call: NovaCall, uuid: string, ask: (cell: Cell) => Promise<Row[]>): Promise<Row[]> {
  const found = await findInCell(call, uuid, ask);
  if (found === undefined) throw noInstance(uuid);
  await needCell(call, found.cell);
  if (!mayLook(call)) throw unexpected('nova.exception.NovaException');
  const [server] = found.rows;
  if (server?.['server_deleted'] !== 0 && call.minor < 21) throw noInstance(uuid);
  if (!call.isAdmin && server?.['server_project'] !== call.account.projectId) throw noInstance(uuid);
  return found.rows;
}

async function findMarker(
  call: NovaCall,
  uuid: string,
  marker: string | undefined,
): Promise<[created: unknown, id: unknown] | undefined> {
  if (marker === undefined) return undefined;
  const [row] = await actionsOf(call, uuid, [{ sql: 'a.request_id = ?', params: [marker] }], 1);
  // Nova means to name the marker, and names what it found in its place.
  if (row === undefined) throw badRequest('Marker None could not be found.');
  return [row['created_at'], row['id']];
}

function actionView({ minor }: NovaCall, row: Row): Record<string, unknown> {
  return {
    action: row['action'],
    instance_uuid: row['instance_uuid'],
    request_id: row['request_id'],
    user_id: row['user_id'],
    project_id: row['project_id'],
    start_time: actionTime(row['start_time']),
    message: row['message'],
    ...(minor < 58 ? {} : { updated_at: actionTime(row['updated_at']) }),
  };
}

function eventView({ minor, isAdmin }: NovaCall, row: Row): object {
  const { event, result, traceback, event_host: host, event_details: details } = row;
  return {
    event,
    start_time: actionTime(row['event_start']),
    finish_time: actionTime(row['event_finish']),
    result,
    ...(isAdmin ? { traceback } : {}),
    ...(minor >= 62 && isAdmin ? { host } : {}),
    ...(minor >= 62 ? { hostId: hostId(host, row['project_id'] ?? row['server_project']) } : {}),
    ...(minor >= 84 && isAdmin ? { details } : {}),
  };
}

function eventColumn(cell: Cell, column: string): string {
  const isThere = cell.columns.instance_actions_events.includes(column);
  return `${isThere ? `e.${column}` : 'NULL'} AS event_${column}`;
}
