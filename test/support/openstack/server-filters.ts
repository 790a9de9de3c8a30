import type { Cell } from '../nova/schema.ts';
import { hiddenOf } from './cells.ts';
import { sizesOf } from './flavor.ts';
import { queryTime } from './instants.ts';
import type { NovaCall } from './nova.ts';
import { NovaError, badRequest, forbidden } from './nova-errors.ts';
import { lastOf } from './query-schema.ts';
import { JOINED_TABLES, openToAll } from './server-query.ts';
import { statesOf } from './status.ts';

/** What stands after WHERE; `i` is the table of instances. */
export interface Condition {
  readonly sql: string;
  readonly params: readonly unknown[];
}

export interface Filters {
  /** Undefined where nothing can fit. */
  readonly conditions: ((cell: Cell) => Condition[]) | undefined;
  readonly allTenants: boolean;
  /** Whether the servers of cells that are down are shown, as stubs. */
  readonly showsDownCells: boolean;
}

const PAGING = ['sort_key', 'sort_dir', 'limit', 'marker'];
const EXACT = ['project_id', 'user_id', 'image_ref', 'uuid', 'host', 'task_state', 'vm_state'];
const COLUMN_OF: Record<string, string> = {
  name: 'display_name',
  image: 'image_ref',
  tenant_id: 'project_id',
};
const REGEX_COLUMNS =
  'launch_index kernel_id ramdisk_id hostname key_name power_state node reservation_id launched_at terminated_at availability_zone display_name display_description locked_by root_device_name config_drive access_ip_v4 access_ip_v6 auto_disk_config progress created_at'.split(
    ' ',
  );

/** Which servers a listing is of: `_get_servers` in nova/api/openstack/compute/servers.py, and what is below it. */
export function serverFilters(call: NovaCall, params: URLSearchParams, isDetail: boolean): Filters {
  const options = searchOptions(call, params);
  const names = [...options.keys()];
  const isPaged = PAGING.some((name) => params.has(name));
  const isFiltered = names.some((name) => name !== 'all_tenants') || names.length > 1;
  const showsDownCells = call.minor >= 69 && !isPaged && !isFiltered;
  for (const name of names) {
    if (JOINED_TABLES.split(' ').includes(name) || name.startsWith('_'))
      throw badRequest(`Invalid filter field: ${name}.`);
  }

  const states = params.has('status') ? statesOf(params.getAll('status')) : undefined;
  options.delete('status');
  if (states?.vmStates.length === 0) {
    if (call.minor >= 38) throw badRequest('Invalid status value');
    return { conditions: undefined, allTenants: false, showsDownCells };
  }
  const conditions: Condition[] = changeTimes(options);
  let deleted = deletedOption(options);
  if (states?.vmStates.join() === 'deleted') {
    if (!call.isAdmin) throw new NovaError(403, 'Only administrators may list deleted instances');
    deleted = true;
  }
  if (deleted !== undefined) conditions.push(deletedCondition(deleted, options.get('soft_deleted')));
  for (const [column, values] of [
    ['vm_state', states?.vmStates],
    ['task_state', states?.taskStates],
  ] as const) {
    if (values === undefined || values.length === 0) continue;
    options.delete(column);
    conditions.push({ sql: `i.${column} IN (?)`, params: [values] });
  }

  const allTenants = isAllTenants(options.get('all_tenants'));
  if (allTenants && !call.isAdmin)
    throw forbidden(`servers:${isDetail ? 'detail' : 'index'}:get_all_tenants`);
  if (!allTenants) {
    options.delete('tenant_id');
    if (call.scope === 'project') options.set('project_id', call.account.projectId);
    else options.set('user_id', call.account.userId);
  }
  const rest = remaining(options);
  return {
    conditions:
      rest === undefined
        ? undefined
        : (cell) => [...conditions, ...rest, { sql: `${hiddenOf(cell)} = 0`, params: [] }],
    allTenants,
    showsDownCells,
  };
}

function searchOptions(call: NovaCall, params: URLSearchParams): Map<string, string> {
  const open = openToAll(call.minor);
  const names = [...new Set(params.keys())].filter((name) =>
    call.isAdmin ? !PAGING.includes(name) : open.has(name),
  );
  return new Map(names.map((name) => [name, lastOf(params, name) ?? '']));
}

/** Inclusive at both ends; NULL is neither before nor after anything. */
function changeTimes(options: ReadonlyMap<string, string>): Condition[] {
  const [since, before] = ['changes-since', 'changes-before'].map((name) =>
    queryTime(options.get(name) ?? ''),
  );
  if (since !== undefined && before !== undefined && before < since) {
    throw badRequest('The value of changes-since must be less than or equal to changes-before.');
  }
  return [
    ...(since === undefined ? [] : [{ sql: 'i.updated_at >= ?', params: [since] }]),
    ...(before === undefined ? [] : [{ sql: 'i.updated_at <= ?', params: [before] }]),
  ];
}

/** Undefined where deleted and live servers are listed alike. */
function deletedOption(options: ReadonlyMap<string, string>): boolean | undefined {
  const deleted = options.get('deleted');
  if (deleted !== undefined) return isTrue(deleted);
  return options.has('changes-since') || options.has('changes-before') ? undefined : false;
}

function deletedCondition(deleted: boolean, softDeleted: string | undefined): Condition {
  const isSoft = "i.vm_state = 'soft-delete'";
  if (deleted) {
    return { sql: softDeleted === '' ? 'i.deleted = i.id' : `(i.deleted = i.id OR ${isSoft})`, params: [] };
  }
  const shown = softDeleted !== undefined && softDeleted !== '';
  return {
    sql: shown ? 'i.deleted = 0' : `i.deleted = 0 AND COALESCE(i.vm_state, '') <> 'soft-delete'`,
    params: [],
  };
}

function remaining(options: ReadonlyMap<string, string>): Condition[] | undefined {
  // Servers here have neither addresses nor tags.
  if (['ip', 'ip6', 'tags', 'tags-any'].some((name) => options.has(name))) return undefined;
  const conditions: Condition[] = [];
  for (const [name, value] of options) {
    const column = COLUMN_OF[name] ?? name;
    if (EXACT.includes(column)) conditions.push({ sql: `i.${column} = ?`, params: [value] });
    else if (REGEX_COLUMNS.includes(column))
      conditions.push({ sql: `i.${column} REGEXP ?`, params: [value] });
    else if (name === 'locked') conditions.push({ sql: 'i.locked = ?', params: [isTrue(value)] });
    else if (name === 'flavor') {
      const sizes = sizesOf(value);
      if (sizes === undefined) return undefined;
      conditions.push({ sql: '(i.vcpus, i.memory_mb, i.root_gb, i.ephemeral_gb) = (?)', params: [sizes] });
    }
  }
  return conditions;
}

const TRUE = ['1', 't', 'true', 'on', 'y', 'yes'];
const FALSE = ['0', 'f', 'false', 'off', 'n', 'no'];

/** `bool_from_string` of oslo.utils. */
export function isTrue(text: string): boolean {
  return TRUE.includes(text.trim().toLowerCase());
}

/** An empty one counts as given. */
function isAllTenants(value: string | undefined): boolean {
  if (value === undefined) return false;
  if (value !== '' && ![...TRUE, ...FALSE].includes(value.trim().toLowerCase())) {
    const accepted = [...TRUE, ...FALSE].toSorted().map((word) => `'${word}'`);
    throw badRequest(`Unrecognized value '${value}', acceptable values are: ${accepted.join(', ')}`);
  }
  return value === '' || isTrue(value);
}
