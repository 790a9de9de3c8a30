import type { Row } from '../mariadb/index.ts';
import { type CellAnswer, askCells, findInCell, hiddenOf, needCell } from './cells.ts';
import type { NovaCall } from './nova.ts';
import { badRequest, unexpected } from './nova-errors.ts';
import { limitOf, nextLink } from './paging.ts';
import { checkQuery, lastOf } from './query-schema.ts';
import { type Filters, serverFilters } from './server-filters.ts';
import {
  type CellRow,
  type CellRows,
  type ServerOrder,
  after,
  mergeCells,
  orderBy,
  serverOrder,
} from './server-order.ts';
import { serverQuerySchema } from './server-query.ts';
import { briefView, serverView, stubView } from './server-view.ts';

/** `GET /servers` and `/servers/detail`: `get_all` in nova/compute/api.py, without build requests. */
export async function listServers(call: NovaCall, isDetail: boolean): Promise<object> {
  const params = checkQuery(call.params, serverQuerySchema(call.minor));
  const filters = serverFilters(call, params, isDetail);
  const limit = limitOf(call, params);
  const order = serverOrder(call, params);
  const { conditions, showsDownCells } = filters;
  if (conditions === undefined) return { servers: [] };
  const marker = await findMarker(call, lastOf(params, 'marker'));
  if (limit === 0) return { servers: [] };

  const asked = await askCells(call, async (cell) => {
    const page = marker === undefined ? [] : after(order, marker.row, cell === marker.cell);
    if (page === undefined) return [];
    const all = [...conditions(cell), ...[page].flat()];
    return cell.query(
      `SELECT i.* FROM instances i WHERE ${all.map(({ sql }) => sql).join(' AND ')}
        ORDER BY ${orderBy(order)} LIMIT ?`,
      [...all.flatMap((condition) => condition.params), limit],
    );
  });
  // Nova takes a refused connection for a cell that is down. Of another error it tries to make a copy, and fails to
  // where SQLAlchemy's constructor wants more (`query_wrapper` in nova/compute/multi_cell_list.py).
  if (!call.cloud.failingCellsAreSkipped && asked.some((one) => 'down' in one && one.down === 'failing'))
    throw unexpected('TypeError');
  const found = unique(merged(order, asked, limit));
  for (const { cell, row } of found) call.cloud.mappings.set(String(row['uuid']), cell);
  const stubs = showsDownCells ? await stubsOf(call, filters, asked, limit - found.length) : [];
  const view = isDetail ? serverView : briefView;
  const servers = [
    ...stubs.map((row) => stubView(call, row, isDetail)),
    ...found.map((one) => view(call, one, { inList: true })),
  ];
  const uuids = [...stubs, ...found.map(({ row }) => row)].map((row) => String(row['uuid']));
  const links = nextLink(call, params, isDetail ? 'servers/detail' : 'servers', uuids);
  return { servers, ...(links.length === 0 ? {} : { servers_links: links }) };
}

function merged(order: ServerOrder, asked: readonly CellAnswer<Row[]>[], limit: number): CellRow[] {
  const up = asked.flatMap((one): CellRows[] =>
    'value' in one ? [{ cell: one.cell, rows: one.value }] : [],
  );
  return mergeCells(order, up, limit);
}

/** Of a server in two cells the second is left out after the page was cut, which may then be short of one. */
function unique(found: readonly CellRow[]): CellRow[] {
  const seen = new Set<unknown>();
  return found.filter(({ row }) => !seen.has(row['uuid']) && seen.add(row['uuid']));
}

/** It may be deleted, or of another project; what is archived is not there. */
async function findMarker(call: NovaCall, uuid: string | undefined): Promise<CellRow | undefined> {
  if (uuid === undefined || uuid === '') return undefined;
  const found = await findInCell(call, uuid, (cell) =>
    cell.query(`SELECT i.*, ${hiddenOf(cell)} AS is_hidden FROM instances i WHERE i.uuid = ?`, [uuid]),
  );
  const row = found?.rows[0];
  if (found === undefined || row === undefined) throw badRequest(`marker [${uuid}] not found`);
  await needCell(call, found.cell);
  return { cell: found.cell, row };
}

/** What Nova knows of the servers of cells that are down, as far as the page has room for them. */
async function stubsOf(
  call: NovaCall,
  { allTenants }: Filters,
  asked: readonly CellAnswer<Row[]>[],
  room: number,
): Promise<Row[]> {
  const stubs: Row[] = [];
  for (const { cell } of asked.filter((one) => 'down' in one)) {
    const left = room - stubs.length;
    if (left <= 0) break;
    stubs.push(
      ...(await cell.query(
        `SELECT i.uuid, i.project_id, i.created_at FROM instances i
          WHERE i.deleted = 0 AND ${hiddenOf(cell)} = 0 ${allTenants ? '' : 'AND i.project_id = ?'} ORDER BY i.id LIMIT ?`,
        allTenants ? [left] : [call.account.projectId, left],
      )),
    );
  }
  return stubs;
}
