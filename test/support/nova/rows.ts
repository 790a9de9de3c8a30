import type { Pool, PoolConnection } from 'mysql2/promise';
import type { Row } from '../mariadb/index.ts';
import type { Cell, Table } from './schema.ts';
import { sqlTime } from './sql-time.ts';

const ROWS_PER_STATEMENT = 1000;

/**
 * Inserts rows, or replaces in place what stands under their ids. Columns that a row leaves out are NULL when
 * it is inserted and keep their value when it is replaced; columns that the cell does not have are left out.
 */
export async function upsert(
  cell: Cell,
  table: Table,
  rows: readonly Row[],
  by: Pool | PoolConnection = cell.pool,
): Promise<void> {
  const known = cell.columns[table];
  for (const group of groupBy(rows, (row) => known.filter((column) => column in row).join())) {
    const columns = known.filter((column) => column in (group[0] ?? {}));
    const names = columns.map((column) => `\`${column}\``).join();
    const changes = columns.map((column) => `\`${column}\` = VALUES(\`${column}\`)`).join();
    for (let at = 0; at < group.length; at += ROWS_PER_STATEMENT) {
      const values = group.slice(at, at + ROWS_PER_STATEMENT).map((row) => columns.map((name) => row[name]));
      await by.query(`INSERT INTO \`${table}\` (${names}) VALUES ? ON DUPLICATE KEY UPDATE ${changes}`, [
        values,
      ]);
    }
  }
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** A row of `instances` like any other. */
export function plainServer(id: number, uuid: string, created: number) {
  return {
    id,
    uuid,
    created_at: sqlTime(created),
    hostname: `server-${id}`,
    user_id: 'user',
    project_id: 'project',
    host: 'cmp-1',
    node: 'cmp-1',
    memory_mb: 2048,
    root_gb: 20,
    vcpus: 2,
    deleted: 0,
  };
}
