import type { Row } from '../mariadb/index.ts';
import type { Change } from './history.ts';
import type { EventPlan } from './random-event.ts';
import type { ActionPlan, ServerPlan } from './random-plan.ts';
import type { Table } from './schema.ts';
import { sqlTime } from './sql-time.ts';

/** A change, and the server to whose tree it belongs. */
export interface Visible extends Change {
  server: ServerPlan;
}

/** Gives ids as the database would, and tells row by row what shows when. */
export function changesOf(cell: string, servers: ServerPlan[]): Visible[] {
  const actions = servers.flatMap((server) => server.actions);
  const events = actions.flatMap((action) => action.events);
  const serverIds = numbered(servers, (server) => server.created);
  const actionIds = numbered(actions, (action) => action.inserted);
  const eventIds = numbered(events, (event) => event.allocated);
  const visible: Visible[] = [];
  for (const server of servers) {
    const show = (table: Table, at: number, row: Row): void => {
      visible.push({ at, cell, table, upsert: row, server });
    };
    showServer(server, serverIds(server), (at, row) => show('instances', at, row));
    for (const action of server.actions) {
      const actionId = actionIds(action);
      showAction(server, action, actionId, (at, row) => show('instance_actions', at, row));
      for (const event of action.events) {
        showEvent(event, eventIds(event), actionId, (at, row) => show('instance_actions_events', at, row));
      }
    }
  }
  return visible;
}

function numbered<T>(items: T[], time: (item: T) => number): (item: T) => number {
  const ordered = items.toSorted((a, b) => time(a) - time(b));
  const ids = new Map(ordered.map((item, at) => [item, at + 1]));
  return (item) => ids.get(item) ?? 0;
}

type Show = (at: number, row: Row) => void;

function showServer(server: ServerPlan, id: number, show: Show): void {
  const row: Row = {
    id,
    uuid: server.uuid,
    created_at: sqlTime(server.created),
    updated_at: null,
    deleted_at: null,
    deleted: 0,
    cleaned: 0,
    hidden: 0,
    user_id: server.user,
    project_id: server.project,
    hostname: server.hostname,
    display_name: server.hostname,
    vm_state: 'building',
    host: null,
    node: null,
    ...server.flavour,
    ephemeral_gb: 0,
  };
  const change = (at: number, columns: Row): void => {
    Object.assign(row, { updated_at: sqlTime(at) }, columns);
    show(at, { ...row });
  };
  // A server is there before its first action, and does not know its host until a compute takes it.
  show(server.created, { ...row });
  const built = server.actions[0]?.events[0]?.allocated ?? server.created;
  if (server.host === null) change(built, { vm_state: 'error' });
  else
    change(built, { vm_state: 'active', host: server.host, node: server.host, launched_at: sqlTime(built) });
  for (const action of server.actions.slice(1)) {
    // Volumes and interfaces come and go without the server's row being touched.
    if (/^(attach|detach)_/.test(action.name)) continue;
    const at = action.events.at(-1)?.allocated ?? action.inserted;
    if (server.deleted !== undefined && at >= server.deleted) continue;
    const moved = action.moved;
    change(at, moved === undefined ? {} : { ...moved.flavour, host: moved.host, node: moved.host });
  }
  if (server.deleted === undefined) return;
  const deleted = { vm_state: 'deleted', deleted_at: sqlTime(server.deleted), deleted: id };
  change(server.deleted, { ...deleted, terminated_at: sqlTime(server.deleted) });
  // A periodic task cleans up within ten minutes and touches the row once more.
  change(server.deleted + 60 + (id % 540), { cleaned: 1 });
}

function showAction(server: ServerPlan, action: ActionPlan, id: number, show: Show): void {
  const row: Row = {
    id,
    action: action.name,
    instance_uuid: server.uuid,
    request_id: action.requestId,
    user_id: server.user,
    project_id: server.project,
    start_time: sqlTime(action.requested),
    created_at: sqlTime(action.inserted),
    updated_at: sqlTime(action.requested),
    finish_time: null,
    message: null,
    deleted: 0,
  };
  show(action.inserted, { ...row });
  const touches = action.events.flatMap((event) => [
    { shown: event.shown, time: event.start, error: false },
    ...event.finishes.map(({ shown, time, result }) => ({ shown, time, error: result === 'Error' })),
  ]);
  for (const { shown, time, error } of touches.toSorted((a, b) => a.shown - b.shown)) {
    row['updated_at'] = sqlTime(time);
    if (error) row['message'] = 'Error';
    show(shown, { ...row });
  }
}

/** created_at and updated_at are the conductor's clock, as start_time and finish_time are, however late they show. */
function showEvent(event: EventPlan, id: number, actionId: number, show: Show): void {
  const row: Row = {
    id,
    event: event.name,
    action_id: actionId,
    start_time: sqlTime(event.start),
    finish_time: null,
    result: null,
    host: event.host,
    created_at: sqlTime(event.start),
    updated_at: null,
    deleted: 0,
  };
  show(event.shown, { ...row });
  for (const { time, shown, result } of event.finishes) {
    show(shown, { ...row, finish_time: sqlTime(time), updated_at: sqlTime(time), result });
  }
}
