import type { Row } from '../mariadb/index.ts';
import type { Cell } from '../nova/schema.ts';
import type { NovaCall } from './nova.ts';
import { NovaError, badRequest, unexpected } from './nova-errors.ts';
import type { Condition } from './server-filters.ts';
import { IGNORED_SORT_KEYS } from './server-query.ts';

interface SortKey {
  readonly column: string;
  readonly direction: 'asc' | 'desc';
}

export interface ServerOrder {
  /** By which the cells' servers are merged; ends with the uuid. */
  readonly merge: readonly SortKey[];
  /** By which each database sorts: the same, and then `created_at` and `id`. */
  readonly database: readonly SortKey[];
}

/**
 * The order of a listing: newest first unless told otherwise, those of one second by uuid
 * (`InstanceSortContext` in nova/compute/instance_list.py, `process_sort_params` in nova/db/utils.py).
 *
 * @throws NovaError 400
 */
export function serverOrder(call: NovaCall, params: URLSearchParams): ServerOrder {
  const keys = params.getAll('sort_key').map((key) => key.trim());
  const directions = params.getAll('sort_dir').map((direction) => direction.trim());
  if (keys.length === 0) keys.push('created_at');
  if (directions.length === 0) directions.push('desc');
  for (const key of keys.slice()) {
    if (IGNORED_SORT_KEYS.includes(key) && !(key === 'locked' && call.minor >= 73)) {
      const at = keys.indexOf(key);
      keys.splice(at, 1);
      directions.splice(at, 1);
    } else if (['host', 'node'].includes(key) && !call.isAdmin) {
      throw new NovaError(403, `Only administrators can sort servers by ${key}`);
    }
  }
  if (keys.length === 0) {
    keys.push('created_at', 'id');
    directions.splice(0, directions.length, 'desc', 'desc');
  }
  if (!directions.every((direction) => direction === 'asc' || direction === 'desc')) {
    throw badRequest("Invalid input received: Unknown sort direction, must be 'desc' or 'asc'");
  }
  if (directions.length > keys.length)
    throw badRequest('Invalid input received: Sort direction size exceeds sort key size');

  const first = directions[0] ?? 'desc';
  if (!keys.includes('uuid')) {
    keys.push('uuid');
    directions.push('asc');
  }
  const merge = zip(keys, directions);
  const missing = ['created_at', 'id'].filter((key) => !keys.includes(key));
  const padding = Array.from({ length: keys.length + missing.length }, () => first);
  const all = [...directions, ...padding];
  return { merge, database: zip([...keys, ...missing], all) };
}

function zip(keys: readonly string[], directions: readonly string[]): SortKey[] {
  return keys
    .slice(0, directions.length)
    .map((column, at) => ({ column, direction: directions[at] === 'asc' ? 'asc' : 'desc' }));
}

export function orderBy({ database }: ServerOrder): string {
  return database.map(({ column, direction }) => `i.${column} ${direction}`).join(', ');
}

/**
 * What comes after the marker in a cell. Undefined where Nova leaves the cell out without a word: it looks for the
 * marker's place in the other cells by its values, and fails to where one of them is NULL
 * (`_model_get_uuid_by_sort_filters` in nova/db/main/api.py; the error is taken for that of a cell that is down).
 */
export function after(order: ServerOrder, marker: Row, isItsCell: boolean): Condition | undefined {
  const keys = isItsCell ? order.database : order.merge;
  if (!isItsCell && keys.some(({ column }) => marker[column] === null)) return undefined;
  // In its own cell a NULL is passed over (oslo.db's `paginate_query`).
  const known = keys.filter(({ column }) => marker[column] !== null);
  const either = known.map(({ column, direction }, at) => {
    const before = known.slice(0, at);
    // The same server in another cell comes again on the next page.
    const orEqual = !isItsCell && at === known.length - 1 ? '=' : '';
    const sql = [
      ...before.map((key) => `i.${key.column} = ?`),
      `i.${column} ${direction === 'asc' ? '>' : '<'}${orEqual} ?`,
    ];
    return { sql: sql.join(' AND '), params: [...before.map((key) => marker[key.column]), marker[column]] };
  });
  return {
    sql: `(${either.map(({ sql }) => `(${sql})`).join(' OR ')})`,
    params: either.flatMap((one) => one.params),
  };
}

export interface CellRows {
  readonly cell: Cell;
  readonly rows: readonly Row[];
}

/**
 * Merges the sorted rows of all cells, and cuts them.
 *
 * @throws NovaError 500 where rows of two cells are compared by a NULL, as Python refuses to
 */
export function mergeCells(order: ServerOrder, cells: readonly CellRows[], limit: number): CellRow[] {
  const queues = cells.map(({ cell, rows }) => ({ cell, rows, at: 0 })).filter(({ rows }) => rows.length > 0);
  const merged: CellRow[] = [];
  while (merged.length < limit && queues.length > 0) {
    let [first] = queues;
    if (first === undefined) break;
    for (const queue of queues.slice(1)) {
      if (isBefore(order, queue.rows[queue.at], first.rows[first.at])) first = queue;
    }
    const row = first.rows[first.at++];
    if (row !== undefined) merged.push({ cell: first.cell, row });
    if (first.at === first.rows.length) queues.splice(queues.indexOf(first), 1);
  }
  return merged;
}

export interface CellRow {
  readonly cell: Cell;
  readonly row: Row;
}

function isBefore({ merge }: ServerOrder, row: Row = {}, other: Row = {}): boolean {
  for (const { column, direction } of merge) {
    const [mine, its] = [row[column], other[column]];
    if (mine === null || its === null) throw unexpected('TypeError');
    if (mine === its) continue;
    return (mine as string) < (its as string) === (direction === 'asc');
  }
  return false;
}
